"""W_bio: initial weights from the functional similarity of recorded neurons."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from biosernn.errors import BadInput
from biosernn.initializers.radius import spectral_radius
from biosernn.protocol import PROTOCOLS, Protocol

MEAN_WEIGHT = 0.1
THRESHOLD = 0.01
SPECTRAL_RADIUS = 0.95

Diagonal = Literal["keep", "drop", "drop-rescaled"]


@dataclass(frozen=True, eq=False)
class BioWeights:
    """W_bio and every stage on the way to it, each (N, N) float64.

    Attributes
    ----------
    lognormal
        The random factor.
    corr_norm, sttc_norm
        Correlation (or what stands in its place) and STTC scaled to [0, 1]; ones where absent.
    sttc_sym
        STTC with its lower triangle copied onto the upper one; None where absent.
    product
        The three factors multiplied.
    mean_scaled
        Scaled to a mean of 0.1 over all entries.
    thresholded
        Entries below 0.01 set to 0, or raised to 0.01 where they are not 0.
    n_thresholded
        How many entries that changed.
    rho_before
        The spectral radius then.
    final
        W_bio, of spectral radius 0.95 (before `diagonal="drop"` takes the self-weights away).

    """

    lognormal: Float[np.ndarray, "n n"]
    sttc_sym: Float[np.ndarray, "n n"] | None
    corr_norm: Float[np.ndarray, "n n"]
    sttc_norm: Float[np.ndarray, "n n"]
    product: Float[np.ndarray, "n n"]
    mean_scaled: Float[np.ndarray, "n n"]
    thresholded: Float[np.ndarray, "n n"]
    n_thresholded: int
    rho_before: float
    final: Float[np.ndarray, "n n"]


def bio_weights(
    corr: Float[np.ndarray, "n n"] | None,
    sttc: Float[np.ndarray, "n n"] | None,
    *,
    seed: int,
    protocol: str | Protocol = "corrected",
    diagonal: Diagonal = "keep",
    lognormal: Float[np.ndarray, "n n"] | None = None,
) -> Float[np.ndarray, "n n"]:
    """Bio-inspired initial weights, W_bio; `bio_weight_stages` returns every stage.

    Parameters and errors are those of `bio_weight_stages`.

    Returns
    -------
    (N, N) float64, row = presynaptic.

    Examples
    --------
    >>> similarity = np.array([[1.0, 0.2, 0.1], [0.2, 1.0, 0.4], [0.1, 0.4, 1.0]])
    >>> bio_weights(similarity, similarity, seed=1, lognormal=np.ones((3, 3))).round(3)
    array([[0.855, 0.   , 0.   ],
           [0.   , 0.855, 0.095],
           [0.   , 0.095, 0.855]])

    """
    return bio_weight_stages(
        corr, sttc, seed=seed, protocol=protocol, diagonal=diagonal, lognormal=lognormal
    ).final


def bio_weight_stages(
    corr: Float[np.ndarray, "n n"] | None,
    sttc: Float[np.ndarray, "n n"] | None,
    *,
    seed: int,
    protocol: str | Protocol = "corrected",
    diagonal: Diagonal = "keep",
    lognormal: Float[np.ndarray, "n n"] | None = None,
) -> BioWeights:
    """W_bio = lognormal ⊙ minmax(corr) ⊙ minmax(STTC) -> mean 0.1 -> threshold -> radius 0.95.

    With a diagonal of ones in both similarities, self-weights are pure lognormal draws far above
    the rest, and the largest sets the spectral radius.

    Parameters
    ----------
    corr
        (N, N) Pearson correlation, or another similarity in its place (such as the precision
        matrix); None: this factor is 1.
    sttc
        (N, N) spike time tiling coefficient, of which the lower triangle counts; None: 1.
    seed
        Of the lognormal draw, `numpy.random.default_rng(seed).lognormal(-0.5, 0.5, (N, N))`.
    protocol
        `corrected` (entries below 0.01 become 0), `published` (they are raised to 0.01 where they
        are not 0) or a `Protocol`, of which `threshold` is read.
    diagonal
        `keep`; `drop`: set to 0 after the radius step; `drop-rescaled`: left out before min-max.
    lognormal
        (N, N), the draw itself, in place of the seed's.

    Returns
    -------
    Every stage; `final` is W_bio.

    Raises
    ------
    BadInput
        Where matrices do not fit, are not finite, or leave no weights; where a choice is unknown.

    References
    ----------
    Released code of arXiv 2606.14975, doi 10.5281/zenodo.20834365; STTC: Cutts & Eglen 2014, doi
    10.1523/JNEUROSCI.2767-14.2014.

    Examples
    --------
    >>> similarity = np.array([[1.0, 0.2, 0.1], [0.2, 1.0, 0.4], [0.1, 0.4, 1.0]])
    >>> stages = bio_weight_stages(similarity, None, seed=1, protocol="published")
    >>> stages.corr_norm.round(2)
    array([[1.  , 0.11, 0.  ],
           [0.11, 1.  , 0.33],
           [0.  , 0.33, 1.  ]])
    >>> round(float(np.abs(np.linalg.eigvals(stages.final)).max()), 9)
    0.95

    """
    if isinstance(protocol, str):
        if protocol not in PROTOCOLS:
            what = f"{protocol!r} is unknown"
            raise BadInput("protocol", what, f"use {' or '.join(PROTOCOLS)} or a Protocol")
        protocol = PROTOCOLS[protocol]
    given = {"corr": corr, "sttc": sttc, "lognormal": lognormal}
    matrices = {name: _matrix(name, m) for name, m in given.items() if m is not None}
    shapes = {matrix.shape for matrix in matrices.values()}
    if len(shapes) != 1:
        what = f"{len(shapes)} different shapes, {shapes or 'no matrix given'}"
        raise BadInput("corr, sttc, lognormal", what, "give at least one, all of the same neurons")
    if lognormal is None:
        matrices["lognormal"] = np.random.default_rng(seed).lognormal(-0.5, 0.5, shapes.pop())
    return compose_bio_weights(
        matrices.get("corr"),
        matrices.get("sttc"),
        matrices["lognormal"],
        threshold=protocol.threshold,
        diagonal=diagonal,
    )


def compose_bio_weights(
    corr: Float[np.ndarray, "n n"] | None,
    sttc: Float[np.ndarray, "n n"] | None,
    lognormal: Float[np.ndarray, "n n"],
    *,
    threshold: Literal["zero", "floor"] = "zero",
    diagonal: Diagonal = "keep",
) -> BioWeights:
    """W_bio from its three factors, the choices spelled out.

    Parameters
    ----------
    corr, sttc, lognormal, diagonal
        As in `bio_weight_stages`.
    threshold
        Entries below 0.01: set to 0, or raised to it where they are not 0.

    Returns
    -------
    Every stage; `final` is W_bio.

    Raises
    ------
    BadInput
        Where no weight is left, or `diagonal` is unknown.

    Examples
    --------
    >>> compose_bio_weights(None, None, np.array([[1.0, 2.0], [2.0, 1.0]])).final.round(4)
    array([[0.3167, 0.6333],
           [0.6333, 0.3167]])

    """
    if diagonal not in ("keep", "drop", "drop-rescaled"):
        what = f"{diagonal!r} is unknown"
        raise BadInput("diagonal", what, "use keep, drop or drop-rescaled")
    counted = np.ones(lognormal.shape, bool)
    if diagonal == "drop-rescaled":
        np.fill_diagonal(counted, False)
    sttc_sym = None if sttc is None else np.tril(sttc) + np.tril(sttc, -1).T
    corr_norm = _minmax(corr, counted)
    sttc_norm = _minmax(sttc_sym, counted)
    product = lognormal * corr_norm * sttc_norm
    mean = product.mean()
    if mean == 0:
        raise BadInput("W_bio", "every weight is 0", "check the similarities for empty activity")
    mean_scaled = product * (MEAN_WEIGHT / mean)
    below = (mean_scaled != 0) & (mean_scaled < THRESHOLD)
    thresholded = np.where(below, 0 if threshold == "zero" else THRESHOLD, mean_scaled)
    rho_before = spectral_radius(thresholded)
    if rho_before == 0:
        raise BadInput("W_bio", "the spectral radius is 0", "check the similarities")
    final = thresholded * (SPECTRAL_RADIUS / rho_before)
    if diagonal == "drop":
        np.fill_diagonal(final, 0)
    return BioWeights(
        lognormal=lognormal,
        sttc_sym=sttc_sym,
        corr_norm=corr_norm,
        sttc_norm=sttc_norm,
        product=product,
        mean_scaled=mean_scaled,
        thresholded=thresholded,
        n_thresholded=int(below.sum()),
        rho_before=rho_before,
        final=final,
    )


def _minmax(similarity: np.ndarray | None, counted: np.ndarray) -> np.ndarray:
    """Scale the counted entries to [0, 1]; ones where they are all equal or absent."""
    if similarity is None:
        return counted.astype(float)
    low, high = similarity[counted].min(), similarity[counted].max()
    if low == high:
        return counted.astype(float)
    return np.where(counted, (similarity - low) / (high - low), 0)


def _matrix(name: str, matrix: object) -> np.ndarray:
    matrix = np.asarray(matrix, float)
    if matrix.ndim != 2 or len(matrix) != matrix.shape[1]:
        raise BadInput(name, f"shape {matrix.shape} is not (N, N)", "give a square matrix")
    if not np.isfinite(matrix).all():
        neuron = np.flatnonzero(~np.isfinite(matrix).all(axis=1))[0]
        raise BadInput(f"{name} of neuron {neuron}", "not finite", "leave this neuron out")
    return matrix
