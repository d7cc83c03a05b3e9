"""The measured connections between the neurons of a cohort."""

from dataclasses import dataclass, field

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
    size
        (E,) summed size of those synapses in voxels, where it is known.

    Raises
    ------
    BadInput
        If they are not vectors of whole numbers of one length, in that order.

    Examples
    --------
    >>> Wiring(pre=[0, 1], post=[1, 0], n_syn=[2, 1]).pre
    array([0, 1])

    """

    pre: Int64[np.ndarray, " edges"]
    post: Int64[np.ndarray, " edges"]
    n_syn: Int64[np.ndarray, " edges"]
    size: Int64[np.ndarray, " edges"] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in self.columns:
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
        if self.size is not None and (self.size < 0).any():
            where = f"wiring/size[{(self.size < 0).argmax()}]"
            raise BadInput(where, "is negative", REMEDY)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of what is known of the connections."""
        return ("pre", "post", "n_syn", *(["size"] if self.size is not None else []))

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

    def among(self, neurons: ArrayLike) -> "Wiring":
        """Take the connections among some neurons, which are numbered anew in the order given.

        Examples
        --------
        >>> Wiring(pre=[0, 1], post=[2, 0], n_syn=[3, 1]).among([2, 0])
        Wiring(pre=array([1]), post=array([0]), n_syn=array([3]))

        """
        neurons = integers("neurons", neurons, (None,))
        number = np.full(np.concatenate([self.pre, self.post, neurons, [-1]]).max() + 1, -1)
        number[neurons] = np.arange(len(neurons))
        pre, post = number[self.pre], number[self.post]
        kept = np.flatnonzero((pre >= 0) & (post >= 0))
        kept = kept[np.lexsort((post[kept], pre[kept]))]
        size = None if self.size is None else self.size[kept]
        return Wiring(pre[kept], post[kept], self.n_syn[kept], size)
