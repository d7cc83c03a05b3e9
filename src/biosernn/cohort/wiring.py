"""The measured connections between the neurons of a cohort."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64
from numpy.typing import ArrayLike

from biosernn.cohort.checks import REMEDY, integers
from biosernn.errors import BadInput

MOST_SYNAPSES = 10_000  # from one neuron to another: more is a fault


@dataclass(frozen=True, eq=False)
class Wiring:
    """Directed connections between different neurons, by presynaptic, then postsynaptic neuron.

    Attributes
    ----------
    pre, post
        (E,) indices of the presynaptic and of the postsynaptic neuron; no pair occurs twice, and
        no neuron is connected with itself.
    n_syn
        (E,) number of synapses, at least 1.

    Raises
    ------
    BadInput
        If the three are not vectors of whole numbers of one length, in that order.

    Examples
    --------
    >>> Wiring(pre=[0, 1], post=[1, 0], n_syn=[2, 1]).pre
    array([0, 1])

    """

    pre: Int64[np.ndarray, " edges"]
    post: Int64[np.ndarray, " edges"]
    n_syn: Int64[np.ndarray, " edges"]

    def __post_init__(self) -> None:
        for name in ("pre", "post", "n_syn"):
            column = integers(f"wiring/{name}", getattr(self, name), (np.size(self.pre),))
            object.__setattr__(self, name, column)
        forward = np.diff(self.pre, prepend=-1)
        onward = np.diff(self.post, prepend=-1)
        for name, bad, what in (
            ("pre", self.pre < 0, "is negative"),
            ("post", self.post < 0, "is negative"),
            ("post", self.post == self.pre, "is the presynaptic neuron itself"),
            ("n_syn", self.n_syn < 1, "is below 1"),
            ("n_syn", self.n_syn > MOST_SYNAPSES, f"is above {MOST_SYNAPSES}"),
            ("pre", forward < 0, "is out of order"),
            ("post", (forward == 0) & (onward <= 0), "is repeated or out of order"),
        ):
            if bad.any():
                raise BadInput(f"wiring/{name}[{bad.argmax()}]", what, REMEDY)

    @classmethod
    def from_counts(cls, counts: ArrayLike) -> "Wiring":
        """Take the connections from (N, N) synapse counts, rows presynaptic, without the diagonal.

        Examples
        --------
        >>> Wiring.from_counts([[5, 2], [0, 5]])
        Wiring(pre=array([0]), post=array([1]), n_syn=array([2]))

        """
        counts = np.asarray(counts)
        pre, post = np.nonzero(np.where(np.eye(len(counts), dtype=bool), 0, counts))
        return cls(pre, post, counts[pre, post])
