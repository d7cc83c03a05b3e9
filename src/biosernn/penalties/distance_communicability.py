"""The penalty on weights by distance and communicability."""

from typing import Literal

import numpy as np
from jaxtyping import Array, Float

from biosernn.graphs.communicability import communicability_kernel
from biosernn.penalties.distance import distance_penalty


def distance_communicability_penalty(
    weights: Float[Array, "n n"],
    distances: Float[Array | np.ndarray, "n n"],
    strength: float | Float[Array, ""],
    isolated: Literal["zero", "released"] = "zero",
) -> Float[Array, ""]:
    """λ Σ |W| ⊙ C ⊙ D with the weights' own communicability C, through which the gradient flows.

    It penalises long edges between neurons that communicate well anyway. C depends only on the
    shape of |W|, so the penalty is homogeneous of degree 1.

    Parameters
    ----------
    weights
        (N, N), row = presynaptic; the dtype of the result is its own.
    distances
        (N, N) between the neurons; its diagonal is 0, so that self-weights cost nothing.
    strength
        λ.
    isolated
        Neurons without outgoing weights: they contribute 0, with a finite gradient, or the
        penalty is not a number, as in the released code.

    Returns
    -------
    A scalar, differentiable in the weights.

    References
    ----------
    Achterberg et al. 2023, doi 10.1038/s42256-023-00748-9; Crofts & Higham 2009, doi
    10.1098/rsif.2008.0484.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> distance_communicability_penalty(jnp.ones((2, 2)) - jnp.eye(2), jnp.ones((2, 2)), 1.0)
    Array(2.3504024, dtype=float32)

    """
    communicability = communicability_kernel(weights, "zero" if isolated == "zero" else "nan")
    return distance_penalty(weights * communicability, distances, strength)
