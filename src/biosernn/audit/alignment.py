"""Whether the wiring belongs to the neurons in the order in which they are given."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from biosernn.audit.check import Check, Verdict, not_known
from biosernn.cohort.cohort import Cohort
from biosernn.cohort.wiring import Wiring
from biosernn.geometry.distances import pairwise_distances

KEY = 1
RELABELLINGS = 999
DRAWN = 199
FEWEST_CONNECTIONS = 20
OK_P, FAIL_P = 0.001, 0.01
NAME = "alignment of the wiring"
THRESHOLD = (
    f"ok: connected pairs nearer than in all {RELABELLINGS} relabellings of the neurons; "
    f"fail: p > {FAIL_P:g}"
)
MEANING = {
    "ok": "The wiring belongs to these neurons in this order.",
    "caution": "Connected pairs are hardly nearer than chance: look at where the cohort was made.",
    "fail": "Connected pairs are no nearer than chance, so wiring and neurons are in different "
    "orders: nothing that uses both means anything.",
}


@dataclass(frozen=True, eq=False)
class Alignment:
    """Distances between connected neurons, and between those that relabelling makes connected.

    Attributes
    ----------
    connected_um
        (E,), over directed connections.
    all_um
        (N(N-1)/2,), over all pairs.
    relabelled_median_um
        (R,), medians over the connections when positions are dealt out anew among the neurons.
    relabelled_um
        (R', E), the distances themselves for the first of these.

    """

    connected_um: Float64[np.ndarray, " edges"]
    all_um: Float64[np.ndarray, " pairs"]
    relabelled_median_um: Float64[np.ndarray, " relabellings"]
    relabelled_um: Float64[np.ndarray, "drawn edges"]

    @property
    def ratio(self) -> float:
        """Median distance of the connected pairs over that of all pairs."""
        return float(np.median(self.connected_um) / np.median(self.all_um))

    @property
    def p(self) -> float:
        """Share of the labellings, the given one included, with a median as low as it gives."""
        as_low = np.count_nonzero(self.relabelled_median_um <= np.median(self.connected_um))
        return (1 + int(as_low)) / (1 + len(self.relabelled_median_um))


def alignment(
    positions_um: Float64[np.ndarray, "n 3"],
    wiring: Wiring,
    rng: np.random.Generator,
    root_known: np.ndarray | None = None,
) -> Alignment:
    """Compare connected pairs with all pairs, and with relabelled neurons.

    Cortical neurons connect to those nearby, so a wiring in another order than the positions
    gives itself away by connections as long as any pair.

    Parameters
    ----------
    positions_um
        (N, 3).
    wiring
        With at least one connection.
    rng
        The source of the relabellings.
    root_known
        (N,) whether a neuron has a segment; one without keeps its place, for it cannot connect.

    Returns
    -------
    Alignment

    Examples
    --------
    >>> line = np.arange(30.0)[:, None] * [1, 0, 0]
    >>> chain = Wiring(np.arange(29), np.arange(1, 30), np.ones(29, int))
    >>> alignment(line, chain, np.random.default_rng(0)).p
    0.001

    """
    distances = pairwise_distances(positions_um)
    n = len(distances)
    movable = np.arange(n) if root_known is None else np.flatnonzero(root_known)
    places = np.tile(np.arange(n), (RELABELLINGS, 1))
    places[:, movable] = rng.permuted(np.tile(movable, (RELABELLINGS, 1)), axis=1)
    drawn = places[:DRAWN]
    return Alignment(
        connected_um=distances[wiring.pre, wiring.post],
        all_um=distances[np.tril_indices(n, -1)],
        relabelled_median_um=np.array(
            [np.median(distances[place[wiring.pre], place[wiring.post]]) for place in places]
        ),
        relabelled_um=distances[drawn[:, wiring.pre], drawn[:, wiring.post]],
    )


def of_cohort(cohort: Cohort) -> Alignment | None:
    """Compare a cohort's connected pairs; None where too few, or no distance between neurons."""
    if cohort.wiring is None or len(cohort.wiring.pre) < FEWEST_CONNECTIONS:
        return None
    if not np.ptp(cohort.positions_um, axis=0).any():
        return None
    rng = np.random.default_rng(KEY)
    return alignment(cohort.positions_um, cohort.wiring, rng, cohort.neurons["root_id"] != 0)


def check(cohort: Cohort) -> Check:
    """Prove the alignment, or refute it."""
    if cohort.wiring is None:
        return not_known(NAME, THRESHOLD, "The wiring is not known, so none can be out of order.")
    found = of_cohort(cohort)
    if found is None:
        why = f"It takes {FEWEST_CONNECTIONS} connections and neurons at different places to tell."
        return not_known(NAME, THRESHOLD, why)
    verdict: Verdict = "ok" if found.p <= OK_P else "caution" if found.p <= FAIL_P else "fail"
    return Check(
        NAME,
        verdict,
        100 * found.ratio,
        "% of the median distance of all pairs",
        THRESHOLD,
        MEANING[verdict],
        f"median {np.median(found.connected_um):.0f} µm over {len(found.connected_um)} "
        f"connections, {np.median(found.all_um):.0f} µm over all pairs, at least "
        f"{found.relabelled_median_um.min():.0f} µm relabelled, p = {found.p:.3g}",
    )
