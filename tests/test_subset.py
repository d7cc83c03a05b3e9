"""Some of a cohort's neurons: the right ones, in order, or a refusal that says why."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosernn.cohort.checks import COLUMNS
from biosernn.cohort.cohort import Cohort
from biosernn.cohort.subset import Selection, subset
from biosernn.cohort.wiring import Wiring
from biosernn.errors import BadInput
from biosernn.sources.reference import read_cohort
from command_line import Ended, assert_refused, commands
from made_up import parts

CELL_TYPES = {"23P": 1, "BC": 2, "MC": 3}


def cohort_of(counts: Any, depths: Any = None, types: Any = None) -> Cohort:
    """A cohort of a wiring, with depths 100, 200 … and cell types where they are not given."""
    n = len(counts)
    neurons = {name: np.arange(1, n + 1) for name in COLUMNS}
    positions = np.zeros((n, 3))
    positions[:, 1] = 100.0 * np.arange(1, n + 1) if depths is None else depths
    return Cohort(
        neurons | {"cell_type": np.arange(n) % 3 + 1 if types is None else types},
        positions,
        wiring=Wiring.from_counts(counts),
        corr=np.eye(n),
        provenance={"name": "made up", "cell_types": CELL_TYPES},
    )


def ids(cohort: Cohort) -> list[int]:
    return cohort.neurons["root_id"].tolist()


# A slow twin: lists, loops and walks.


def walk(start: int, among: list[int], counts: list[list[int]]) -> set[int]:
    reached, frontier = {start}, [start]
    while frontier:
        here = frontier.pop()
        for other in among:
            if (counts[here][other] or counts[other][here]) and other not in reached:
                reached.add(other)
                frontier.append(other)
    return reached


def slow_subset(cohort: Cohort, wanted: Selection) -> list[int]:
    left = list(range(cohort.n_neurons))
    counts = cohort.synapse_counts().tolist()
    if wanted.depth_um is not None:
        low, high = wanted.depth_um
        left = [i for i in left if low <= cohort.positions_um[i][1] <= high]
    if wanted.cell_type is not None:
        number = CELL_TYPES[wanted.cell_type]
        left = [i for i in left if cohort.neurons["cell_type"][i] == number]
    if wanted.component is not None:
        components: list[set[int]] = []
        for i in left:
            if not any(i in found for found in components):
                components.append(walk(i, left, counts))
        components.sort(key=len, reverse=True)
        left = [i for i in left if i in components[wanted.component - 1]]
    if wanted.most_connected is not None:
        degree = {i: sum((counts[i][j] > 0) + (counts[j][i] > 0) for j in left) for i in left}
        ranked = sorted(left, key=lambda i: -degree[i])
        best = [ranked[rank] for rank in range(wanted.most_connected)]
        left = [i for i in left if i in best]
    if wanted.random is not None:
        rng = np.random.default_rng(wanted.seed)
        left = sorted(left[k] for k in rng.choice(len(left), wanted.random, replace=False))
    return left


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


@given(data=st.data(), seed=st.integers(0, 10**6), n=st.integers(2, 14))
def test_subsets_are_those_of_the_slow_twin(data: st.DataObject, seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.choice([0.02, 0.1, 0.3]), (n, n))
    cohort = cohort_of(counts, rng.integers(0, 9, n), rng.integers(1, 4, n))
    wanted = Selection(
        depth_um=data.draw(maybe(st.tuples(st.integers(0, 4), st.integers(4, 9)))),
        cell_type=data.draw(maybe(st.sampled_from(sorted(CELL_TYPES)))),
        component=data.draw(maybe(st.integers(1, 2))),
        most_connected=data.draw(maybe(st.integers(2, 6))),
        random=data.draw(maybe(st.integers(2, 4))),
        seed=data.draw(st.integers(0, 5)),
    )
    try:
        chosen = subset(cohort, wanted)
    except BadInput:
        try:
            assert wanted == Selection(seed=wanted.seed) or len(slow_subset(cohort, wanted)) < 2
        except (IndexError, ValueError):
            return  # the twin has too few components, or too few left to draw from
        return
    expected = cohort.subset(slow_subset(cohort, wanted))
    assert chosen.content_sha256 == expected.content_sha256


@given(seed=st.integers(0, 10**6), n=st.integers(1, 8), data=st.data())
def test_wiring_among_neurons_is_a_part_of_the_counts(
    seed: int, n: int, data: st.DataObject
) -> None:
    counts = np.random.default_rng(seed).poisson(0.5, (n, n))
    np.fill_diagonal(counts, 0)
    some = data.draw(st.permutations(range(n)))[: data.draw(st.integers(0, n))]
    among = Wiring.from_counts(counts).among(some)
    expected = Wiring.from_counts(counts[np.ix_(some, some)].reshape(len(some), len(some)))
    for column in ("pre", "post", "n_syn"):
        np.testing.assert_array_equal(getattr(among, column), getattr(expected, column))


# Single rules.


def test_depth_is_the_second_axis_and_both_ends_count() -> None:
    cohort = cohort_of(np.zeros((4, 4), dtype=int))
    assert ids(subset(cohort, Selection(depth_um=(200, 300)))) == [2, 3]


def test_components_go_by_size_then_by_their_first_neuron() -> None:
    counts = np.zeros((7, 7), dtype=int)
    counts[1, 2] = counts[4, 2] = counts[6, 0] = counts[3, 5] = 1
    cohort = cohort_of(counts)
    found = [ids(subset(cohort, Selection(component=rank))) for rank in (1, 2, 3)]
    assert found == [[2, 3, 5], [1, 7], [4, 6]]


def test_degree_counts_both_directions_among_those_left() -> None:
    counts = np.zeros((5, 5), dtype=int)
    counts[0, 1] = counts[1, 0] = counts[2, 3] = 9
    counts[4, 0] = counts[4, 1] = counts[4, 2] = counts[4, 3] = 1
    cohort = cohort_of(counts)
    assert ids(subset(cohort, Selection(most_connected=3))) == [1, 2, 5]
    assert ids(subset(cohort, Selection(depth_um=(0, 400), most_connected=3))) == [1, 2, 3]


def test_a_draw_is_its_seed_and_every_neuron_can_be_drawn() -> None:
    cohort = cohort_of(np.zeros((6, 6), dtype=int))
    draws = [ids(subset(cohort, Selection(random=3, seed=seed))) for seed in range(30)]
    assert draws == [ids(subset(cohort, Selection(random=3, seed=seed))) for seed in range(30)]
    assert all(draw == sorted(draw) for draw in draws)
    assert {neuron for draw in draws for neuron in draw} == {1, 2, 3, 4, 5, 6}
    assert len({tuple(draw) for draw in draws}) > 10


def test_what_led_to_a_subset_stays_with_it() -> None:
    cohort = cohort_of(np.ones((6, 6), dtype=int))
    once = subset(cohort, Selection(depth_um=(100, 550)))
    twice = subset(once, Selection(random=2, seed=4))
    assert twice.name == "made up (depth 100 to 550 µm) (2 random of seed 4)"
    assert twice.provenance["subset_of"] == once.content_sha256
    assert twice.provenance["subset"] == [
        {"depth_um": [100, 550], "seed": 0},
        {"random": 2, "seed": 4},
    ]
    long = replace(cohort, provenance=cohort.provenance | {"name": "x" * 200})
    assert len(subset(long, Selection(random=2)).name) == 200


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"depth_um": (3, 2)}, "depth: 3 to 2 µm is no range"),
        ({"depth_um": (float("nan"), 2)}, "depth.*is not finite"),
        ({"component": 0}, "component: is 0; give 1 or more"),
        ({"most_connected": 1}, "most connected: is 1; give 2 or more"),
        ({"random": -4}, "random: is -4; give 2 or more"),
        ({"random": 4, "seed": -1}, "seed: is -1; give 0 or more"),
        ({}, "subset: chooses nothing"),
        ({"depth_um": (2e3, 3e3)}, "depth 2000 to 3000 µm of made up: leaves 0 of 6 neurons"),
        ({"depth_um": (2e3, 3e3), "component": 1}, "component 1: is more than the 0 that there"),
        ({"depth_um": (100, 150)}, "leaves 1 of 6 neurons; choose two or more"),
        ({"cell_type": "BPC"}, "has no cell type 'BPC'; name one of 23P, BC, MC"),
        ({"component": 7}, "component 7: is more than the 6 that there are; ask for one of them"),
        ({"component": 2}, "component 2 of made up: leaves 1 of 6 neurons"),
        ({"most_connected": 7}, "7 most connected: is more than the 6 neurons left; ask for fewer"),
        ({"random": 7}, "7 random: is more than the 6 neurons left"),
    ],
)
def test_what_cannot_be_chosen_is_refused(choices: dict[str, Any], message: str) -> None:
    cohort = cohort_of(np.zeros((6, 6), dtype=int))
    with pytest.raises(BadInput, match=message):
        subset(cohort, Selection(**choices))


@pytest.mark.parametrize(
    ("choices", "absent", "message"),
    [
        ({"component": 1}, "wiring", "has no wiring; use one that has"),
        ({"most_connected": 2}, "wiring", "has no wiring; use one that has"),
        ({"cell_type": "BC"}, "spikes", "has no cell types; use one that has"),
    ],
)
def test_what_a_cohort_lacks_cannot_be_chosen_by(
    choices: dict[str, Any], absent: str, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        subset(Cohort(**parts() | {absent: None}), Selection(**choices))


# The command line.


@pytest.fixture(scope="module")
def command() -> Iterator[Callable[..., Ended]]:
    with commands("biosernn.cohort.subset", "biosernn.cohort.file") as run:
        yield run


def test_a_subset_is_written_and_can_be_read(command: Callable[..., Ended], tmp_path: Path) -> None:
    choices = "--depth -10 450 --component largest --most-connected 20 --random 12 --seed 3"
    done = command(
        "cohort", "subset", "synthetic:64", "--out", "some.h5", *choices.split(), cwd=tmp_path
    )
    assert (done.status, done.err) == (0, "")
    name = "synthetic:64 (depth -10 to 450 µm, component 1, 20 most connected, 12 random of seed 3)"
    assert done.out.startswith(f"some.h5: {name}, 12 neurons, content ")
    wanted = Selection((-10, 450), None, 1, 20, 12, 3)
    whole, written = read_cohort("synthetic:64"), read_cohort(str(tmp_path / "some.h5"))
    assert written.content_sha256 == subset(whole, wanted).content_sha256
    assert written.n_neurons == 12


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ("", "subset: chooses nothing"),
        ("--depth 5 2", "depth: 5 to 2 µm is no range"),
        ("--depth 5", 'Command "cohort subset" parameter --depth requires 2'),
        ("--depth nan 4", "depth[0]: is not finite"),
        ("--depth inf 4", "depth[0]: is not finite"),
        ("--component some", "--component: is 'some'; give largest or a whole number"),
        ("--component -1", "--component: is '-1'"),
        ("--component ٣", "--component: is '٣'"),
        ("--random 2.5", "Invalid value for --random"),
        ("--random 65", "65 random: is more than the 64 neurons left"),
        ("--seed 3", "--seed: says nothing without --random"),
        ("--cell-type BC", "cohort synthetic:64: has no cell types"),
    ],
)
def test_a_subset_that_cannot_be_is_refused_and_nothing_is_written(
    command: Callable[..., Ended], tmp_path: Path, choices: str, message: str
) -> None:
    arguments = ["cohort", "subset", "synthetic:64", "--out", "some.h5", *choices.split()]
    line = assert_refused(command(*arguments, cwd=tmp_path), remedy=False)
    assert line.startswith(message)
    assert list(tmp_path.iterdir()) == []
