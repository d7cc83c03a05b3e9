"""Weighted communicability: how well two neurons communicate along paths of all lengths."""

from typing import Literal

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.linalg import expm
from threadpoolctl import threadpool_limits

from biosernn.errors import BadInput
from biosernn.graphs.absolute import absolute
from biosernn.graphs.exponential import taylor_exponential

RELEASED_STRENGTH = 1e-10
"""What the released code adds to, or puts in the place of, an out-strength of 0."""


def communicability(weights: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    """Weighted communicability of every ordered pair of neurons, in float64.

    C = exp(diag(s)^-½ |W| diag(s)^-½) off the diagonal, s being the out-strengths (row sums of
    |W|) on both sides; it is computed as diag(s)^½ exp(P) diag(s)^-½ with P = diag(s)^-1 |W|, whose
    rows sum to at most 1, so that strengths of very different size cost no digits.

    Parameters
    ----------
    weights
        (N, N), row = presynaptic.

    Returns
    -------
    (N, N) float64; the diagonal is 0, and so are the rows and columns of neurons without outgoing
    weights.

    Raises
    ------
    BadInput
        Where the weights are not square and finite.

    References
    ----------
    Crofts & Higham 2009, doi 10.1098/rsif.2008.0484; out-strengths on both sides as in the
    released code of arXiv 2606.14975.

    Examples
    --------
    >>> communicability(np.array([[0, 2, 0], [2, 0, 0], [0, 0, 0]])).round(4)
    array([[0.    , 1.1752, 0.    ],
           [1.1752, 0.    , 0.    ],
           [0.    , 0.    , 0.    ]])

    """
    connectivity = _connectivity(weights)
    strengths = connectivity.sum(axis=1)
    linked = strengths > 0
    scale = np.where(linked, strengths, 1)
    transitions = connectivity * np.outer(linked, linked) / scale[:, None]
    return _off_diagonal_exponential(transitions) * np.sqrt(scale[:, None] / scale)


def target_communicability(
    synapse_counts: Float[np.ndarray, "n n"], isolated: Literal["zero", "released"] = "zero"
) -> Float[np.ndarray, "n n"]:
    """Communicability of the measured wiring, in float64.

    Parameters
    ----------
    synapse_counts
        (N, N), row = presynaptic.
    isolated
        Neurons without outgoing synapses: their rows and columns are 0, or they get the strength
        1e-10, as in the released code, which makes entries near 1e5.

    Returns
    -------
    (N, N) float64 with a diagonal of 0.

    Raises
    ------
    BadInput
        Where the counts are not square and finite.

    References
    ----------
    Released code of arXiv 2606.14975, doi 10.5281/zenodo.20834365.

    Examples
    --------
    >>> counts = np.array([[0, 3], [0, 0]])
    >>> target_communicability(counts)
    array([[0., 0.],
           [0., 0.]])
    >>> target_communicability(counts, isolated="released").round()
    array([[     0., 173205.],
           [     0.,      0.]])

    """
    if isolated == "zero":
        return communicability(synapse_counts)
    connectivity = _connectivity(synapse_counts)
    strengths = connectivity.sum(axis=1)
    inverse_root = np.where(strengths == 0, RELEASED_STRENGTH, strengths) ** -0.5
    return _off_diagonal_exponential(inverse_root[:, None] * connectivity * inverse_root)


def normalised_weights(
    weights: Float[Array, "n n"], isolated: Literal["zero", "nan", "offset"] = "zero"
) -> Float[Array, "n n"]:
    """Absolute weights divided by the roots of both neurons' out-strengths.

    Parameters
    ----------
    weights
        (N, N), row = presynaptic; the dtype of the result is its own.
    isolated
        Neurons without outgoing weights: their rows and columns are 0, with a finite gradient;
        or they are divided by 0 and so not a number; or 1e-10 is added to every strength.

    Returns
    -------
    (N, N), differentiable.

    Examples
    --------
    >>> normalised_weights(jnp.array([[0.0, -4.0], [1.0, 0.0]]))
    Array([[0. , 2. ],
           [0.5, 0. ]], dtype=float32)

    """
    connectivity = absolute(weights)
    strengths = connectivity.sum(axis=1)
    if isolated == "zero":
        # Below the root of the least normal number the gradient's s^-3/2 would overflow.
        linked = strengths > float(jnp.finfo(strengths.dtype).tiny) ** 0.5
        inverse_root = jnp.where(linked, 1 / jnp.sqrt(jnp.where(linked, strengths, 1)), 0)
    elif isolated == "offset":
        inverse_root = 1 / jnp.sqrt(strengths + RELEASED_STRENGTH)
    else:
        inverse_root = 1 / jnp.sqrt(strengths)
    return connectivity * inverse_root[:, None] * inverse_root


def communicability_kernel(
    weights: Float[Array, "n n"], isolated: Literal["zero", "nan", "offset"] = "zero"
) -> Float[Array, "n n"]:
    """Weighted communicability inside a compiled program, differentiable in the weights.

    Parameters
    ----------
    weights
        (N, N), row = presynaptic; the dtype of the result is its own.
    isolated
        As in `normalised_weights`.

    Returns
    -------
    (N, N) with a diagonal of 0.

    See Also
    --------
    communicability : the same in float64 by another algorithm.

    Examples
    --------
    >>> communicability_kernel(jnp.array([[0.0, 2.0], [2.0, 0.0]])).round(4)
    Array([[0.    , 1.1752],
           [1.1752, 0.    ]], dtype=float32)

    """
    normalised = normalised_weights(weights, isolated)
    degree = 20 if jnp.finfo(normalised.dtype).bits > 32 else 12
    exponential = taylor_exponential(normalised, degree)
    return jnp.where(jnp.eye(len(exponential), dtype=bool), 0, exponential)


def _connectivity(weights: np.ndarray) -> np.ndarray:
    connectivity = np.abs(np.asarray(weights, float))
    if connectivity.ndim != 2 or len(connectivity) != connectivity.shape[1]:
        raise BadInput("weights", f"shape {connectivity.shape} is not (N, N)", "give a square one")
    if not np.isfinite(connectivity).all():
        raise BadInput("weights", "not all finite", "leave out runs that diverged")
    return connectivity


def _off_diagonal_exponential(matrix: np.ndarray) -> np.ndarray:
    """Off-diagonal part of exp(matrix); one thread, so that the bits are always the same."""
    with threadpool_limits(1):
        exponential = expm(matrix)
    np.fill_diagonal(exponential, 0)
    return exponential
