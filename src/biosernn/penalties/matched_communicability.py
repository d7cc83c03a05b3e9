"""The penalty that matches the weights' communicability to that of the measured wiring."""

from typing import Literal, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from biosernn.graphs.absolute import absolute
from biosernn.graphs.communicability import communicability_kernel
from biosernn.penalties.distance import distance_penalty
from biosernn.penalties.distance_communicability import distance_communicability_penalty

Matrix = TypeVar("Matrix", Array, np.ndarray)

MATCH_FACTOR = 0.1
"""The released code's weight of the match beside the wiring term."""


def sorted_target(
    target: Float[np.ndarray, "n n"], isolated: Literal["zero", "released"] = "zero"
) -> Float[np.ndarray, "entries"]:
    """The target communicability's entries in ascending order, as `communicability_match` takes it.

    Parameters
    ----------
    target
        (N, N), from `target_communicability`.
    isolated
        The N (N - 1) off-diagonal entries, or, as in the released code, all N² of them.

    Returns
    -------
    1-D.

    Examples
    --------
    >>> sorted_target(np.array([[0.0, 3.0], [2.0, 0.0]]))
    array([2., 3.])

    """
    return np.sort(_entries(target, isolated))


def communicability_match(
    weights: Float[Array, "n n"],
    target_sorted: Float[Array | np.ndarray, "entries"],
    isolated: Literal["zero", "released"] = "zero",
) -> Float[Array, ""]:
    """Mean |sort(C*) - sort(C)|: earth mover's distance between two histograms of communicability.

    It says nothing of which neurons communicate, only of how many do how well.

    Parameters
    ----------
    weights
        (N, N), row = presynaptic; the dtype of the result is its own.
    target_sorted
        From `sorted_target`, with the same choice of `isolated`.
    isolated
        Neurons without outgoing weights have a communicability of 0 and off-diagonal entries are
        compared; or, as in the released code, 1e-10 is added to every out-strength and all
        entries are compared.

    Returns
    -------
    A scalar, differentiable in the weights.

    References
    ----------
    Released code of arXiv 2606.14975, doi 10.5281/zenodo.20834365.

    Examples
    --------
    >>> communicability_match(jnp.ones((2, 2)) - jnp.eye(2), jnp.zeros(2))
    Array(1.1752012, dtype=float32)

    """
    kernel = communicability_kernel(weights, "zero" if isolated == "zero" else "offset")
    return _earth_movers_distance(kernel, target_sorted, isolated)


def matched_communicability_penalty(
    weights: Float[Array, "n n"],
    distances: Float[Array | np.ndarray, "n n"],
    strength: float | Float[Array, ""],
    target_sorted: Float[Array | np.ndarray, "entries"],
    wiring_term: Literal["with_c", "distance_only"] = "with_c",
    isolated: Literal["zero", "released"] = "zero",
) -> Float[Array, ""]:
    """λ Σ |W| ⊙ C ⊙ D + 0.1 mean |sort(C*) - sort(C)|.

    Parameters
    ----------
    weights
        (N, N), row = presynaptic; the dtype of the result is its own.
    distances
        (N, N) between the neurons; its diagonal is 0, so that self-weights cost nothing.
    strength
        λ, of the first term alone.
    target_sorted
        From `sorted_target`, with the same choice of `isolated`.
    wiring_term
        The first term with its factor C, or, as in the released code, by distance only.
    isolated
        As in `distance_communicability_penalty` and `communicability_match`.

    Returns
    -------
    A scalar, differentiable in the weights.

    References
    ----------
    Released code of arXiv 2606.14975, doi 10.5281/zenodo.20834365.

    Examples
    --------
    >>> ring = jnp.ones((2, 2)) - jnp.eye(2)
    >>> matched_communicability_penalty(ring, ring, 0.0, jnp.zeros(2))
    Array(0.11752012, dtype=float32)

    """
    if wiring_term == "with_c" and isolated == "zero":
        kernel = communicability_kernel(weights)
        wiring = distance_penalty(weights * kernel, distances, strength)
        return wiring + MATCH_FACTOR * _earth_movers_distance(kernel, target_sorted, isolated)
    if wiring_term == "with_c":
        wiring = distance_communicability_penalty(weights, distances, strength, isolated)
    else:
        wiring = distance_penalty(weights, distances, strength)
    return wiring + MATCH_FACTOR * communicability_match(weights, target_sorted, isolated)


def _earth_movers_distance(
    communicability: Array, target_sorted: Array | np.ndarray, isolated: str
) -> Array:
    ascending = _ascending(_entries(communicability, isolated))
    return jnp.mean(absolute(jnp.asarray(target_sorted, ascending.dtype) - ascending))


def _entries(communicability: Matrix, isolated: str) -> Matrix:
    """All entries as a vector, or all but the diagonal's."""
    entries, n = communicability.ravel(), len(communicability)
    if isolated == "released":
        return entries
    return entries[1:].reshape(n - 1, n + 1)[:, :-1].ravel()


@jax.custom_vjp
def _ascending(values: Float[Array, "entries"]) -> Float[Array, "entries"]:
    """Non-negative values sorted by their bits, which XLA on the CPU does six times as fast."""
    bits = jnp.int64 if values.dtype == jnp.float64 else jnp.int32
    ordered = jnp.sort(jax.lax.bitcast_convert_type(values, bits))
    return jax.lax.bitcast_convert_type(ordered, values.dtype)


def _ascending_forward(values: Array) -> tuple[Array, tuple[Array, Array]]:
    ordered = _ascending(values)
    return ordered, (values, ordered)


def _ascending_backward(saved: tuple[Array, Array], cotangent: Array) -> tuple[Array]:
    """Each value's cotangent is the one at its rank.

    Equal values share the first one's; they are zeros between neurons that no path joins, and
    these have no gradient in the weights.
    """
    values, ordered = saved
    return (cotangent[jnp.searchsorted(ordered, values)],)


_ascending.defvjp(_ascending_forward, _ascending_backward)
