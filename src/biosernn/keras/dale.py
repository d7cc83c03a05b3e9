"""Dale's rule as a Keras constraint."""

from typing import Any

import keras
import numpy as np
from jaxtyping import Int
from keras import ops

from biosernn.errors import BadInput
from biosernn.keras.communicability import Tensor


@keras.saving.register_keras_serializable("biosernn")
class Dale(keras.constraints.Constraint):
    """Dale's rule for `recurrent_constraint`: a unit's outgoing weights have one sign.

    After every step weights of the other sign become 0, in all gates of a `GRU` or `LSTM`.

    Parameters
    ----------
    signs
        (N,): 1 where the presynaptic unit is excitatory, -1 where it is inhibitory, 0 where its
        weights are free.

    Raises
    ------
    BadInput
        Where there are other values, or not as many as the kernel has rows.

    Examples
    --------
    >>> kept = Dale([1, -1, 0])(ops.array([[2.0, -2.0]] * 3))
    >>> ops.convert_to_numpy(kept).tolist()
    [[2.0, 0.0], [0.0, -2.0], [2.0, -2.0]]

    """

    def __init__(self, signs: Int[np.ndarray, " n"]) -> None:
        self.signs = np.asarray(signs)
        if self.signs.dtype == bool or self.signs.ndim != 1 or set(self.signs) - {1, -1, 0}:
            what = "not one number of 1, -1 or 0 a unit"
            raise BadInput("signs", what, "give np.where(excitatory, 1, -1)")

    def __call__(self, kernel: Tensor) -> Tensor:
        """Weights of the kernel, row = presynaptic, with those of a forbidden sign set to 0."""
        kernel = ops.convert_to_tensor(kernel)
        if kernel.shape[0] != len(self.signs):
            what = f"{kernel.shape[0]} rows for {len(self.signs)} signs"
            raise BadInput("recurrent kernel", what, "give one sign for each of the layer's units")
        signs = ops.convert_to_tensor(self.signs[:, None], kernel.dtype)
        return ops.where(signs * kernel < 0, ops.zeros_like(kernel), kernel)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {"signs": self.signs.tolist()}
