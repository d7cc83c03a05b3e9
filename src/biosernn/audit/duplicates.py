"""Whether one cell stands in the cohort twice under different ids."""

import numpy as np

from biosernn.audit.check import Check, Verdict
from biosernn.audit.functional import correlation
from biosernn.cohort.cohort import Cohort
from biosernn.geometry.distances import pairwise_distances

SAME_PLACE_UM = 1.0
SAME_ACTIVITY = 0.9
NAME = "duplicates"
THRESHOLD = (
    f"fail: two somata within {SAME_PLACE_UM:g} µm, or two neurons with the same events; "
    f"caution: a correlation above {SAME_ACTIVITY:g}"
)
MEANING = {
    "ok": "No two neurons are one cell, as far as ids, places and activity tell.",
    "caution": "Two neurons behave as one cell: the strongest functional weights may be artefacts.",
    "fail": "One cell stands here twice: its copies are each other's strongest weight and "
    "shortest distance; leave one out.",
}


def check(cohort: Cohort) -> Check:
    """Look for pairs of neurons that share a place or an activity; ids are unique in any cohort."""
    pairs = np.tril_indices(cohort.n_neurons, -1)
    same_place = pairwise_distances(cohort.positions_um)[pairs] < SAME_PLACE_UM
    same_events = np.zeros(cohort.n_neurons, dtype=bool)
    if cohort.spikes is not None:
        trains = [train.tobytes() for train in cohort.spikes]
        same_events = np.array([bool(train) and trains.count(train) > 1 for train in trains])
    similarity = correlation(cohort)
    alike = np.zeros(0) if similarity is None else similarity[pairs] > SAME_ACTIVITY
    twice = same_place.any() or same_events.any()
    verdict: Verdict = "fail" if twice else "caution" if alike.any() else "ok"
    return Check(
        NAME,
        verdict,
        max(int(same_place.sum()), int(same_events.sum()) // 2, int(alike.sum())),
        "pairs",
        THRESHOLD,
        MEANING[verdict],
        f"{same_place.sum()} pairs at one place, {same_events.sum()} neurons with another's "
        f"events, {alike.sum()} pairs correlated above {SAME_ACTIVITY:g}"
        + ("" if similarity is None else f" (largest correlation {similarity[pairs].max():.2f})"),
    )
