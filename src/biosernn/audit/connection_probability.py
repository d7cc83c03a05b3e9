"""How the probability of a connection falls with distance."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.optimize import brentq

from biosernn.audit.check import Check, Verdict, not_known
from biosernn.cohort.cohort import Cohort
from biosernn.geometry.distances import pairwise_distances

STEEPEST_PER_UM = 1.0
NORMAL_95 = 1.959963984540054
NAME = "connection probability"
THRESHOLD = "ok: falls with distance, the 95 % interval of its decay excluding none"
MEANING = {
    "ok": "Connections are local, so the wiring’s null must keep their distances.",
    "caution": "No fall with distance can be told: the wiring is too sparse, or out of order.",
}


@dataclass(frozen=True)
class ExponentialDecay:
    """p(d) = p₀ exp(-d / λ).

    Attributes
    ----------
    at_zero
        p₀, the probability of a directed connection at distance 0.
    rate_per_um, error_per_um
        1 / λ and its standard error.

    """

    at_zero: float
    rate_per_um: float
    error_per_um: float

    @property
    def length_um(self) -> float:
        """The length λ."""
        return 1 / self.rate_per_um if self.rate_per_um else np.inf

    @property
    def interval_um(self) -> tuple[float, float]:
        """95 % interval of λ; infinite at its end where no decay is not excluded."""
        low = self.rate_per_um - NORMAL_95 * self.error_per_um
        high = self.rate_per_um + NORMAL_95 * self.error_per_um
        return 1 / high if high > 0 else np.inf, 1 / low if low > 0 else np.inf

    def __str__(self) -> str:
        low, high = (f"{end:.0f}" if end < np.inf else "∞" for end in self.interval_um)
        return f"λ = {self.length_um:.0f} µm (95 % interval {low} to {high})"


def fit_exponential_decay(
    all_um: Float64[np.ndarray, " pairs"], connected_um: Float64[np.ndarray, " edges"]
) -> ExponentialDecay | None:
    """Fit an exponential decay by maximum likelihood.

    Connections are rare, so their number at each distance is taken as Poisson. Then λ is where
    the connections' mean distance is that of all ordered pairs, weighted by exp(-d / λ).

    Parameters
    ----------
    all_um
        Distances of all ordered pairs that could be connected, in µm.
    connected_um
        Distances of those that are.

    Returns
    -------
    ExponentialDecay, or None where the likelihood has no maximum: no connection, or all of them
    the shortest or the longest pairs there are.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> distance = rng.uniform(0, 500, 20000)
    >>> fit = fit_exponential_decay(
    ...     distance, distance[rng.random(20000) < 0.2 * np.exp(-distance / 80)]
    ... )
    >>> fit.interval_um[0] < 80 < fit.interval_um[1]
    True

    """
    if not len(connected_um):
        return None
    wanted = connected_um.mean()

    def mean_and_variance(rate: float) -> tuple[float, float]:
        exponent = -rate * all_um
        weight = np.exp(exponent - exponent.max())
        weight /= weight.sum()
        mean = weight @ all_um
        return float(mean), float(weight @ (all_um - mean) ** 2)

    nearest, farthest = (mean_and_variance(rate)[0] for rate in (STEEPEST_PER_UM, -STEEPEST_PER_UM))
    if not nearest < wanted < farthest:
        return None
    rate = brentq(
        lambda rate: mean_and_variance(rate)[0] - wanted, -STEEPEST_PER_UM, STEEPEST_PER_UM
    )
    error = 1 / np.sqrt(len(connected_um) * mean_and_variance(rate)[1])
    at_zero = len(connected_um) / np.exp(-rate * all_um).sum()
    return ExponentialDecay(float(at_zero), float(rate), float(error))


def of_cohort(cohort: Cohort) -> tuple[np.ndarray, np.ndarray]:
    """Distances of all ordered pairs of neurons with a known root, and of the connected ones."""
    distances = pairwise_distances(cohort.positions_um)
    known = cohort.neurons["root_id"] != 0
    possible = np.outer(known, known) & ~np.eye(len(known), dtype=bool)
    connected = np.zeros(len(known)) if cohort.wiring is None else cohort.synapse_counts()
    return distances[possible], distances[connected > 0]


def check(cohort: Cohort) -> Check:
    """Fit the decay, and see whether there is one."""
    if cohort.wiring is None:
        return not_known(NAME, THRESHOLD, "The wiring is not known.")
    everything, connected = of_cohort(cohort)
    fit = fit_exponential_decay(everything, connected)
    if fit is None:
        return not_known(NAME, THRESHOLD, "There are too few connections to fit a decay.")
    verdict: Verdict = "ok" if fit.interval_um[1] < np.inf else "caution"
    return Check(
        NAME,
        verdict,
        fit.length_um if fit.rate_per_um > 0 else np.inf,
        "µm to fall by a factor of e",
        THRESHOLD,
        MEANING[verdict],
        f"p = {fit.at_zero:.3g} exp(-d / λ), {fit}, by maximum likelihood over {len(everything)} "
        "ordered pairs",
    )
