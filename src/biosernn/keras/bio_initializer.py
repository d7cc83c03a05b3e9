"""W_bio as a Keras initialiser."""

from typing import Any

import keras
import numpy as np
from jaxtyping import Float
from keras import ops

from biosernn.errors import BadInput
from biosernn.initializers.bio import Diagonal, bio_weights
from biosernn.keras.communicability import Tensor
from biosernn.protocol import Protocol, protocol_named


@keras.saving.register_keras_serializable("biosernn")
class BioInitializer(keras.initializers.Initializer):
    """Bio-inspired initial weights, W_bio, for `recurrent_initializer`.

    The kernel of a `SimpleRNN` is (N, N) and gets `biosernn.bio_weights` of the same arguments.
    Those of `GRU` and `LSTM` hold three and four such blocks side by side, one a gate: each is a
    W_bio of its own with the same similarities, its lognormal factor the seed's next draw. The
    first gate's is the `SimpleRNN`'s.

    Parameters
    ----------
    corr, sttc, seed, diagonal
        As in `biosernn.bio_weight_stages`.
    protocol
        `corrected`, `published`, `corrected+threshold` or a `Protocol`, of which `threshold` is
        read.

    Raises
    ------
    BadInput
        Where the protocol is unknown or no similarity is given; when called, also where the
        similarities cannot be used or do not fit the layer.

    References
    ----------
    Released code of arXiv 2606.14975, doi 10.5281/zenodo.20834365; STTC: Cutts & Eglen 2014, doi
    10.1523/JNEUROSCI.2767-14.2014.

    Examples
    --------
    >>> similarity = np.array([[1.0, 0.2, 0.1], [0.2, 1.0, 0.4], [0.1, 0.4, 1.0]])
    >>> initializer = BioInitializer(similarity, similarity, seed=1)
    >>> kernel = ops.convert_to_numpy(initializer((3, 3)))
    >>> np.allclose(kernel, bio_weights(similarity, similarity, seed=1))
    True

    """

    def __init__(
        self,
        corr: Float[np.ndarray, "n n"] | None,
        sttc: Float[np.ndarray, "n n"] | None,
        *,
        seed: int,
        protocol: str | Protocol = "corrected",
        diagonal: Diagonal = "keep",
    ) -> None:
        if corr is None and sttc is None:
            raise BadInput("corr, sttc", "neither is given", "give at least one")
        self.corr = None if corr is None else np.asarray(corr, float)
        self.sttc = None if sttc is None else np.asarray(sttc, float)
        self.seed = seed
        self.protocol = protocol_named(protocol) if isinstance(protocol, str) else protocol
        self.diagonal = diagonal

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        """Kernel of this shape, (N, N) or (N, gates x N), in the dtype or Keras's float type."""
        n = next(len(given) for given in (self.corr, self.sttc) if given is not None)
        if len(shape) != 2 or shape[0] != n or shape[1] % n:
            what = f"shape {tuple(shape)} is not ({n}, {n}) or some of these side by side"
            raise BadInput("recurrent kernel", what, "give the layer as many units as neurons")
        draws = np.random.default_rng(self.seed).lognormal(-0.5, 0.5, (shape[1] // n, n, n))
        gates = [
            bio_weights(
                self.corr,
                self.sttc,
                seed=self.seed,
                protocol=self.protocol,
                diagonal=self.diagonal,
                lognormal=lognormal,
            )
            for lognormal in draws
        ]
        return ops.convert_to_tensor(np.concatenate(gates, axis=1), dtype or keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor, the matrices as lists."""
        return {
            "corr": None if self.corr is None else self.corr.tolist(),
            "sttc": None if self.sttc is None else self.sttc.tolist(),
            "seed": int(self.seed),
            "protocol": "+".join(("corrected", *self.protocol.departures())),
            "diagonal": self.diagonal,
        }
