"""Two cohorts of one recording made one: who is matched, whose word counts, and what is told."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosernn.cohort.cohort import Cohort
from biosernn.cohort.join import join
from biosernn.cohort.wiring import Wiring
from biosernn.errors import BadInput
from biosernn.sources.reference import read_cohort
from biosernn.sources.synthetic import synthetic_cohort
from command_line import assert_refused, commands
from made_up import ROOT_IDS, parts

ACTIVITY = ("corr", "sttc", "precision", "spikes", "traces", "interval_s", "frame_rate_hz")
ZEROS = np.zeros(5, dtype=np.int64)


def altered(name: str, neurons: dict[str, Any] | None = None, **changed: Any) -> Cohort:
    """Five neurons with some parts or columns altered."""
    whole = parts() | changed | {"provenance": {"kind": "made up", "name": name, "version": 1}}
    return Cohort(**whole | {"neurons": whole["neurons"] | (neurons or {})})


def anatomy(**neurons: Any) -> Cohort:
    return altered("anatomy", neurons, **dict.fromkeys(ACTIVITY))


def activity(**neurons: Any) -> Cohort:
    """In another order, without ids of cells and without autapses."""
    whole = altered("activity", {"nucleus_id": ZEROS, "root_id": ZEROS} | neurons, wiring=None)
    without = {name: c for name, c in whole.neurons.items() if name != "n_autapses"}
    return replace(whole, neurons=without).subset([4, 2, 0, 1, 3])


def differing(cohort: Cohort) -> dict[str, tuple[int, int, str]]:
    found = cohort.provenance["disagreements"]
    return {part: (told["differ"], told["of"], told["kept"]) for part, told in found.items()}


# Who is matched.


@given(
    here=st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=2, max_size=12, unique=True),
    there=st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=2, max_size=12, unique=True),
)
def test_neurons_are_matched_as_two_loops_would(
    here: list[tuple[int, int, int]], there: list[tuple[int, int, int]]
) -> None:
    def cohort(units: list[tuple[int, int, int]]) -> Cohort:
        columns = dict(zip(("session", "scan", "unit_id"), np.transpose(units), strict=True))
        unknown = dict.fromkeys(("nucleus_id", "root_id", "field"), np.zeros(len(units), dtype=int))
        order = np.arange(len(units))
        return Cohort(columns | unknown | {"order": order}, np.zeros((len(units), 3)))

    pairs = [
        (i, j)
        for i, one in enumerate(here)
        for j, other in enumerate(there)
        if one == other and 0 not in one
    ]
    if len(pairs) < 2:
        with pytest.raises(BadInput, match=f"share {len(pairs)} neurons of known session"):
            join(cohort(here), cohort(there))
        return
    joined = join(cohort(here), cohort(there))
    assert joined.neurons["order"].tolist() == [i for i, _ in pairs]
    assert joined.provenance["dropped_by_join"] == {
        "neurons of the first": len(here) - len(pairs),
        "neurons of the second": len(there) - len(pairs),
        "cells under different units": 0,
    }


def test_a_cell_under_another_unit_is_left_out_and_counted() -> None:
    # The second has cell 12 as unit 4 too, but in another scan, and cell 15 as a unit of its own.
    second = altered("second", {"scan": np.array([6, 7, 6, 6, 6]), "unit_id": [5, 4, 3, 2, 9]})
    joined = join(anatomy(), second)
    assert joined.neurons["nucleus_id"].tolist() == [11, 13, 14]
    assert joined.provenance["dropped_by_join"] == {
        "neurons of the first": 2,
        "neurons of the second": 2,
        "cells under different units": 2,
    }


# Whose word counts.


def test_anatomy_and_activity_make_a_whole() -> None:
    whole = altered("whole")
    joined = join(anatomy(), activity())
    assert joined.content_sha256 == whole.content_sha256
    assert joined.name == "anatomy + activity"
    assert joined.missing == ()
    assert joined.provenance["joined_parts"] == list(ACTIVITY)
    assert joined.provenance["joined_with"]["name"] == "activity"
    assert joined.provenance["subset_of"] == anatomy().content_sha256
    assert joined.provenance["joined_with"]["subset_of"] == activity().content_sha256
    assert differing(joined) == {}
    back = join(activity(), anatomy())
    assert back.subset([2, 3, 1, 4, 0]).content_sha256 == whole.content_sha256


@given(n=st.integers(8, 16), seed=st.integers(0, 3), data=st.data())
def test_parts_of_a_cohort_join_to_the_part_that_both_hold(
    n: int, seed: int, data: st.DataObject
) -> None:
    whole = synthetic_cohort(n, seed)
    some, others = (data.draw(st.permutations(range(n)))[: n - 2] for _ in range(2))
    joined = join(whole.subset(some), whole.subset(others))
    both = whole.subset([i for i in some if i in others])
    assert joined.content_sha256 == both.content_sha256
    assert differing(joined) == {}


def test_ids_of_cells_and_proofreading_go_with_the_wiring() -> None:
    proofread = np.array([1, 0, 0, 1, 0])
    wired = anatomy(axon_proofread=proofread)
    newer = altered("newer", {"root_id": np.array(ROOT_IDS) + 10**6}, wiring=None)
    joined = join(newer, wired)
    np.testing.assert_array_equal(joined.neurons["root_id"], ROOT_IDS)
    np.testing.assert_array_equal(joined.neurons["axon_proofread"], proofread)
    assert differing(joined) == {"neurons/root_id": (5, 5, "anatomy")}
    assert joined.provenance["joined_parts"] == [
        "neurons/root_id",
        "neurons/n_autapses",
        "neurons/axon_proofread",
        "wiring",
    ]


def test_a_neuron_without_a_segment_stays_one() -> None:
    roots = np.array([0, *ROOT_IDS[1:]])
    first = altered("first", {"root_id": roots}, wiring=Wiring([3], [2], [2]))
    assert join(first, altered("second")).neurons["root_id"].tolist() == roots.tolist()


def test_events_traces_and_clock_come_from_one_cohort() -> None:
    shifted = tuple(train + 1 for train in parts()["spikes"])
    timed = altered("timed", spikes=shifted, traces=None, interval_s=(0, 9), frame_rate_hz=None)
    traced = altered("traced", spikes=None)
    for joined in (join(traced, timed), join(timed, traced)):
        assert joined.interval_s == (0, 9)
        assert joined.frame_rate_hz is None
        assert joined.traces is None
        np.testing.assert_array_equal(joined.spikes[0], shifted[0])
    assert join(altered("silent", spikes=None, traces=None), traced).interval_s == (0, 4)


def test_names_of_cell_types_come_with_their_numbers() -> None:
    types = np.array([1, 2, 2, 1, 0])
    typed = anatomy(cell_type=types)
    typed = replace(typed, provenance=typed.provenance | {"cell_types": {"23P": 1, "BC": 2}})
    joined = join(activity(), typed)
    assert joined.provenance["cell_types"] == {"23P": 1, "BC": 2}
    assert joined.neurons["cell_type"].tolist() == types[[4, 2, 0, 1, 3]].tolist()
    otherwise = replace(typed, provenance=typed.provenance | {"cell_types": {"BC": 1, "23P": 2}})
    assert differing(join(typed, otherwise)) == {}
    assert differing(
        join(typed, replace(typed, neurons=typed.neurons | {"cell_type": types[::-1]}))
    )


# What is told.


def test_every_disagreement_is_counted_and_the_first_is_kept() -> None:
    content = parts()
    moved = content["positions_um"] + np.array([[0.5], [2], [0], [0], [0]])
    corr = content["corr"].copy()
    corr[1, 3] = corr[3, 1] = 0.9
    spikes = (*content["spikes"][:4], np.array([1.0, 3.75]))
    second = altered(
        "second",
        {
            "nucleus_id": np.array([11, 12, 13, 0, 99]),
            "field": np.full(5, 4),
            "n_autapses": np.array([0, 1, 1, 2, 0]),
        },
        positions_um=moved,
        corr=corr,
        wiring=Wiring(pre=[0, 0, 2], post=[1, 4, 3], n_syn=[1, 6, 2]),
        spikes=spikes,
        traces=content["traces"][:, :6],
        interval_s=(0.0, 4.5),
    )
    first = altered("first")
    joined = join(first, second)
    assert differing(joined) == {
        "neurons/nucleus_id": (1, 4, "first"),
        "neurons/field": (5, 5, "first"),
        "neurons/n_autapses": (1, 5, "first"),
        "positions_um": (1, 5, "first"),
        "wiring": (3, 4, "first"),
        "corr": (1, 10, "first"),
        "spikes": (1, 5, "first"),
        "traces": (5, 5, "first"),
        "interval_s": (1, 1, "first"),
    }
    assert joined.content_sha256 == first.content_sha256


def test_a_join_is_written_and_told_on_the_command_line(tmp_path: Path) -> None:
    anatomy().write(tmp_path / "c.h5")
    activity(field=np.full(5, 4)).subset([0, 1, 2, 4]).write(tmp_path / "f.h5")
    altered("elsewhere", {"session": np.full(5, 9)}).write(tmp_path / "elsewhere.h5")
    with commands("biosernn.cohort.join", "biosernn.cohort.file") as command:
        done = command("cohort", "join", "c.h5", "f.h5", "--out", "both.h5", cwd=tmp_path)
        line = assert_refused(
            command("cohort", "join", "c.h5", "elsewhere.h5", "--out", "no.h5", cwd=tmp_path)
        )
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[:-1] == [
        "left out, neurons of the first: 1",
        "left out, neurons of the second: 0",
        "left out, cells under different units: 0",
        "neurons/field: 4 of 4 differ; kept: anatomy",
    ]
    assert done.out.splitlines()[-1].startswith("both.h5: anatomy + activity, 4 neurons, content ")
    joined = read_cohort(str(tmp_path / "both.h5"))
    assert joined.neurons["unit_id"].tolist() == [5, 3, 2, 1]
    assert joined.missing == ()
    assert line == (
        "anatomy + elsewhere: share 0 neurons of known session, scan and unit; "
        "join two cohorts of one recording"
    )
    assert not (tmp_path / "no.h5").exists()
