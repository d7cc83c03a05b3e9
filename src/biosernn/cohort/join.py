"""One cohort from two of the same recording, as anatomy from one source and activity from another.

Neurons are the same where session, scan and unit are, all three known. A cell seen in several scans
has a unit in each: it is joined by the unit that both cohorts name, and left out and counted where
they name different ones. What one cohort alone knows comes from that one. What both know comes
whole from the first, and it is counted where the second disagrees. Root ids, self-connections and
proofreading go with the wiring; events, traces, interval and frame rate go together.
"""

from typing import Any

import numpy as np

from biosernn.cohort.checks import COLUMNS, LONGEST_NAME
from biosernn.cohort.cohort import MATRICES, Cohort
from biosernn.cohort.wiring import Wiring
from biosernn.errors import BadInput

UNIT = ("session", "scan", "unit_id")
PARTS = ("positions_um", "wiring", *MATRICES, "spikes", "traces", "interval_s", "frame_rate_hz")
COLUMN = "neurons/"
CELL_TYPE, AUTAPSES = f"{COLUMN}cell_type", f"{COLUMN}n_autapses"
GOES_WITH = {
    f"{COLUMN}root_id": ("wiring",),
    f"{COLUMN}axon_proofread": ("wiring",),
    AUTAPSES: ("wiring",),
    "traces": ("spikes",),
    "interval_s": ("spikes", "traces"),
    "frame_rate_hz": ("spikes", "traces"),
}
SAME_PLACE_UM = 1.0
SAME_VALUE = 1e-6


def join(first: Cohort, second: Cohort) -> Cohort:
    """Join two cohorts on session, scan and unit.

    Parameters
    ----------
    first, second
        Of one recording; where both know a part, the first's is taken.

    Returns
    -------
    Cohort
        The neurons that both have, in the first's order. Its provenance is the first's, with
        `joined_with`, the second's; `joined_parts`, what came from the second; `dropped_by_join`,
        how many neurons of each are left out, and how many cells both have under different units;
        and `disagreements`, in how many of how many neurons or pairs a part differs that both
        know, and whose is kept.

    Raises
    ------
    BadInput
        If they share fewer than two neurons.

    Examples
    --------
    >>> from biosernn.cohort.wiring import Wiring
    >>> def cohort(name, unit_ids, **parts):
    ...     neurons = {column: [1, 2, 3] for column in ("nucleus_id", "root_id", "field")}
    ...     neurons |= {"session": [6] * 3, "scan": [2] * 3, "unit_id": unit_ids}
    ...     return Cohort(neurons, np.zeros((3, 3)), provenance={"name": name}, **parts)
    >>> anatomy = cohort("anatomy", [10, 20, 30], wiring=Wiring([1], [2], [4]))
    >>> both = join(anatomy, cohort("activity", [5, 20, 30], corr=np.eye(3)))
    >>> both, both.neurons["unit_id"], both.provenance["joined_parts"]
    (<Cohort anatomy + activity: 2 neurons>, array([20, 30]), ['corr'])

    """
    here, there = _same_units(first, second)
    if len(here) < 2:
        raise BadInput(
            f"{first.name} + {second.name}",
            f"share {len(here)} neurons of known session, scan and unit",
            "join two cohorts of one recording",
        )
    one, other = first.subset(here), second.subset(there)
    columns = dict.fromkeys(f"{COLUMN}{name}" for name in (*one.neurons, *other.neurons))
    owners = {part: _owner(part, one, other) for part in (*columns, *PARTS)}
    taken = {part: _part(owner, part) for part, owner in owners.items()}
    provenance = one.provenance | {
        "name": f"{first.name} + {second.name}"[:LONGEST_NAME],
        "joined_with": other.provenance,
        "joined_parts": [
            part for part, owner in owners.items() if owner is other and _knows(other, part)
        ],
        "dropped_by_join": {
            "neurons of the first": first.n_neurons - len(here),
            "neurons of the second": second.n_neurons - len(here),
            "cells under different units": _shared_nuclei(first, second)
            - _shared_nuclei(one, other),
        },
        "disagreements": {
            part: {"differ": differ, "of": of, "kept": owners[part].name}
            for part in taken
            for differ, of in [_difference(part, one, other)]
            if differ
        },
    }
    if owners.get(CELL_TYPE) is other:
        provenance["cell_types"] = _legend(other)
    return Cohort(
        neurons={
            part.removeprefix(COLUMN): taken[part] for part in columns if taken[part] is not None
        },
        **{part: taken[part] for part in PARTS},
        provenance=provenance,
    )


def _same_units(first: Cohort, second: Cohort) -> tuple[list[int], list[int]]:
    """Indices in both cohorts of the neurons of one session, scan and unit, all three known."""
    names, others = (np.stack([c.neurons[n] for n in UNIT], axis=1) for c in (first, second))
    place = {tuple(unit): there for there, unit in enumerate(others.tolist()) if all(unit)}
    pairs = [(here, place.get(tuple(unit))) for here, unit in enumerate(names.tolist())]
    found = [(here, there) for here, there in pairs if there is not None]
    return [here for here, _ in found], [there for _, there in found]


def _shared_nuclei(first: Cohort, second: Cohort) -> int:
    shared = np.intersect1d(first.neurons["nucleus_id"], second.neurons["nucleus_id"])
    return int(np.count_nonzero(shared))


def _owner(part: str, one: Cohort, other: Cohort) -> Cohort:
    """Whose part is taken: the first's who knows what the part goes with, or else the part."""
    for asked in (*GOES_WITH.get(part, ()), part):
        for cohort in (one, other):
            if _knows(cohort, asked):
                return cohort
    return one


def _knows(cohort: Cohort, part: str) -> bool:
    value = _part(cohort, part)
    unknown = value is None or (part.removeprefix(COLUMN) in COLUMNS and not value.any())
    return not unknown


def _part(cohort: Cohort, part: str) -> Any:
    if part.startswith(COLUMN):
        return cohort.neurons.get(part.removeprefix(COLUMN))
    return getattr(cohort, part)


def _difference(part: str, one: Cohort, other: Cohort) -> tuple[int, int]:
    """In how many of how many neurons or pairs two cohorts of the same neurons differ."""
    if not (_knows(one, part) and _knows(other, part)):
        return 0, 0
    ours, theirs = _part(one, part), _part(other, part)
    if part == "positions_um":
        differ = np.linalg.norm(ours - theirs, axis=1) > SAME_PLACE_UM
    elif part == "wiring":
        return _differing_pairs(ours, theirs, one.n_neurons)
    elif part in MATRICES:
        differ = np.abs(ours - theirs)[np.tri(one.n_neurons, k=-1, dtype=bool)] > SAME_VALUE
    elif part in ("spikes", "traces"):
        differ = np.array([not _alike(*pair) for pair in zip(ours, theirs, strict=True)])
    elif part in ("interval_s", "frame_rate_hz"):
        differ = np.array([not _alike(np.array(ours), np.array(theirs))])
    elif part == CELL_TYPE and _legend(one) != _legend(other):
        return 0, 0
    else:
        known = (ours != 0) & (theirs != 0) if part != AUTAPSES else np.full(len(ours), True)
        differ = (ours != theirs)[known]
    return int(differ.sum()), len(differ)


def _differing_pairs(ours: Wiring, theirs: Wiring, n: int) -> tuple[int, int]:
    counts = [
        dict(zip((w.pre * n + w.post).tolist(), w.n_syn.tolist(), strict=True))
        for w in (ours, theirs)
    ]
    pairs = counts[0].keys() | counts[1].keys()
    return sum(counts[0].get(pair) != counts[1].get(pair) for pair in pairs), len(pairs)


def _alike(ours: np.ndarray, theirs: np.ndarray) -> bool:
    return ours.shape == theirs.shape and bool((np.abs(ours - theirs) <= SAME_VALUE).all())


def _legend(cohort: Cohort) -> Any:
    return cohort.provenance.get("cell_types")
