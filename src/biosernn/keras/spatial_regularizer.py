"""The spatial penalty as a Keras regulariser."""

from typing import Any, Literal

import keras
import numpy as np
from jaxtyping import Float
from keras import ops

from biosernn.errors import BadInput
from biosernn.keras.communicability import Tensor, absolute, communicability_kernel
from biosernn.penalties.matched_communicability import MATCH_FACTOR, sorted_target
from biosernn.penalties.spatial import SpatialPenalty


@keras.saving.register_keras_serializable("biosernn")
class SpatialRegularizer(keras.regularizers.Regularizer):
    """The cost of recurrent weights in space, for `recurrent_regularizer`.

    The kernel of a `SimpleRNN` is (N, N). Those of `GRU` and `LSTM` hold three and four such
    blocks side by side, one a gate, each from the same presynaptic to the same postsynaptic units:
    every gate is penalised for itself, with a communicability of its own, and the penalties are
    added.

    Parameters
    ----------
    distances, strength, communicability, matched_wiring_term, isolated
        As in `biosernn.SpatialPenalty`.

    Raises
    ------
    BadInput
        Where distances, strength, a choice or the shape of the kernel cannot be used.

    References
    ----------
    Achterberg et al. 2023, doi 10.1038/s42256-023-00748-9; released code of arXiv 2606.14975.

    Examples
    --------
    >>> regularizer = SpatialRegularizer(np.array([[0.0, 2.0], [2.0, 0.0]]), strength=0.5)
    >>> float(regularizer(ops.array([[7.0, -1.0], [2.0, 7.0]])))
    3.0

    """

    def __init__(
        self,
        distances: Float[np.ndarray, "n n"],
        strength: float,
        communicability: Literal["none", "own"] | Float[np.ndarray, "n n"] = "none",
        matched_wiring_term: Literal["with_c", "distance_only"] = "with_c",
        isolated: Literal["zero", "released"] = "zero",
    ) -> None:
        self.penalty = SpatialPenalty(
            distances, strength, communicability, matched_wiring_term, isolated
        )
        target = self.penalty.communicability
        if isinstance(target, str):
            self.with_c, self.target_sorted = target == "own", None
        else:
            self.with_c = matched_wiring_term == "with_c"
            self.target_sorted = sorted_target(target, isolated)

    def __call__(self, kernel: Tensor) -> Tensor:
        """Penalty of a recurrent kernel, (N, N) or (N, gates x N) with row = presynaptic."""
        kernel = ops.convert_to_tensor(kernel)
        n = len(self.penalty.distances)
        if len(kernel.shape) != 2 or kernel.shape[0] != n or kernel.shape[1] % n:
            what = f"shape {tuple(kernel.shape)} is not ({n}, {n}) or some of these side by side"
            raise BadInput("recurrent kernel", what, "give distances between the layer's units")
        return sum(self._of_gate(gate) for gate in ops.split(kernel, kernel.shape[1] // n, axis=1))

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor, the matrices as lists."""
        communicability = self.penalty.communicability
        return {
            "distances": self.penalty.distances.tolist(),
            "strength": float(self.penalty.strength),
            "communicability": communicability
            if isinstance(communicability, str)
            else communicability.tolist(),
            "matched_wiring_term": self.penalty.matched_wiring_term,
            "isolated": self.penalty.isolated,
        }

    def _of_gate(self, weights: Tensor) -> Tensor:
        penalty, corrected = self.penalty, self.penalty.isolated == "zero"
        cost = absolute(weights) * ops.convert_to_tensor(penalty.distances, weights.dtype)
        if self.with_c:
            communicability = communicability_kernel(weights, "zero" if corrected else "nan")
            cost = cost * communicability
        wiring = penalty.strength * ops.sum(cost)
        if self.target_sorted is None:
            return wiring
        if not (self.with_c and corrected):
            communicability = communicability_kernel(weights, "zero" if corrected else "offset")
        ascending = ops.sort(_entries(communicability, penalty.isolated))
        target = ops.convert_to_tensor(self.target_sorted, weights.dtype)
        # Not ops.mean, which is single precision on JAX (Keras 3.15).
        match = ops.sum(absolute(target - ascending)) / len(self.target_sorted)
        return wiring + MATCH_FACTOR * match


def _entries(communicability: Tensor, isolated: str) -> Tensor:
    """All entries as a vector, or all but the diagonal's."""
    n, entries = communicability.shape[0], ops.reshape(communicability, (-1,))
    if isolated == "released":
        return entries
    return ops.reshape(ops.reshape(entries[1:], (n - 1, n + 1))[:, :-1], (-1,))
