"""A study's runs held against published means, and the page that says so."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from biosernn import BadInput, reproduction
from biosernn.analysis.two_fractions import fisher, fraction_difference
from biosernn.analysis.welch import welch
from biosernn.protocol import Recipe
from biosernn.report.agreement import agreement, agreement_frame, agreement_table
from biosernn.study.presets import preset
from biosernn.tasks.maze import maze
from biosernn.tasks.perceptual import perceptual
from biosernn.training.network import initial_weights
from biosernn.training.penalty import PenaltyInputs, PenaltyKind
from biosernn.training.schedule import Schedule
from biosernn.training.train import train
from docs.results import draws, reproduced
from docs.results.build import page as page_of
from docs.results.reasons import (
    NOT_THE_TRAINING,
    THE_DRAW,
    THE_TRAINING,
    Draws,
    of_the_reference,
    read_draws,
    read_reference,
    reasons_of,
)
from docs.results.reference import trials_in_order
from study_folders import study_folder


def runs(accuracy, *, arm="WD*C", task="maze", **columns):
    """Made-up runs of one arm under the published protocol."""
    place = {"cohort": "6_6_2", "protocol": "published", "recipe": "seed", "strength": 0.3}
    seeds = range(len(accuracy))
    return pd.DataFrame(
        place | {"task": task, "arm": arm, "seed": seeds, "accuracy": accuracy} | columns
    )


def published(*rows):
    return pd.DataFrame(rows, columns=["task", "arm", "outcome", "n", "mean", "sd"])


@pytest.mark.parametrize("seed", range(5))
def test_welch_is_that_of_the_values_themselves(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0.2 * seed, 1, 7 + seed), rng.normal(0, 0.3 + seed, 20)
    expected = stats.ttest_ind(a, b, equal_var=False)
    found, p = welch((a.mean(), a.std(ddof=1), len(a)), (b.mean(), b.std(ddof=1), len(b)))
    assert p == pytest.approx(expected.pvalue, rel=1e-10)
    assert (found.low, found.high) == pytest.approx(expected.confidence_interval(), rel=1e-10)


def test_rounding_widens_the_interval_and_shrinks_the_difference():
    one, other = (0.625, 0.002, 20), (0.628, 0.003, 20)
    exact, _ = welch(one, other)
    wider, p = welch(one, other, rounding=0.001)
    assert (exact.low - wider.low, wider.high - exact.high) == pytest.approx((0.001, 0.001))
    assert p == pytest.approx(welch((0.626, 0.002, 20), other)[1])
    assert welch(one, other, rounding=0.01)[1] == 1


@pytest.mark.parametrize(
    ("one", "other"), [((13, 20), (19, 20)), ((0, 10), (3, 20)), ((5, 5), (0, 5))]
)
def test_fractions_are_compared_as_elsewhere(one, other):
    found = fraction_difference(one, other)
    expected = confint_proportions_2indep(*one, *other, method="newcomb", compare="diff")
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-10)
    n, solved = one[1] + other[1], one[0] + other[0]
    chance = stats.hypergeom.pmf(np.arange(one[1] + 1), n, solved, one[1])
    assert fisher(one, other) == pytest.approx(chance[chance <= chance[one[0]] * (1 + 1e-9)].sum())


@pytest.mark.parametrize("accuracy", [0.625, 1.0])
def test_all_failing_and_all_solved_agree_with_a_width(accuracy):
    share = float(accuracy >= 0.95)
    (found,) = reproduction(
        runs([accuracy] * 20), published(("maze", "WD*C", "solved_095", 20, share, np.nan))
    )
    assert (found.verdict, found.p, found.difference.estimate) == ("agrees", 1, 0)
    assert found.difference.low == pytest.approx(-0.161, abs=5e-4)
    assert found.difference.high == pytest.approx(0.161, abs=5e-4)


def test_where_neither_side_varies_equal_and_different_are_said_without_a_test():
    rows = published(
        ("maze", "WD*C", "accuracy", 20, 0.25, 0.0), ("maze", "WD*C", "entropy", 20, 0.5, 0.0)
    )
    equal, different = reproduction(runs([0.25] * 10, entropy=0.75), rows)
    assert (equal.verdict, equal.verdict_holm) == ("agrees", "agrees")
    assert (different.verdict, different.verdict_holm) == ("differs", "differs")
    assert np.isnan([equal.p, different.p, equal.p_holm, equal.difference.low]).all()
    (rounded,) = reproduction(runs([0.2504] * 10), rows[:1].assign(mean_error=0.0005, sd_error=0.0))
    assert rounded.verdict == "agrees"


def test_constant_runs_are_tested_against_means_that_vary():
    (found,) = reproduction(
        runs([1.0] * 20), published(("maze", "WD*C", "accuracy", 20, 0.917, 0.137))
    )
    assert found.verdict == "differs"
    assert found.p == pytest.approx(
        stats.ttest_ind_from_stats(1, 0, 20, 0.917, 0.137, 20, equal_var=False).pvalue
    )


def test_diverged_runs_count_and_their_undefined_topology_is_named():
    ours = runs([0.25] * 4 + [1.0] * 16, entropy=[np.nan] * 4 + [*np.linspace(1, 2, 16)])
    ours["status"] = ["diverged"] * 4 + ["done"] * 16
    rows = published(
        ("maze", "WD*C", "solved_095", 20, 1.0, np.nan),
        ("maze", "WD*C", "accuracy", 20, 1.0, 0.001),
        ("maze", "WD*C", "entropy", 20, 1.5, 0.3),
    )
    share, accuracy, entropy = reproduction(ours, rows)
    assert (share.ours.estimate, share.ours.n) == (0.8, 20)
    assert (accuracy.ours.estimate, accuracy.ours.n, accuracy.n_undefined) == (0.85, 20, 0)
    assert (entropy.ours.n, entropy.n_undefined, entropy.verdict) == (16, 4, "agrees")
    assert "16, 20 (4 not defined)" in agreement_table("", [entropy]).rows[0]


def test_what_cannot_be_compared_is_not_tested():
    rows = published(
        ("maze", "WDC", "accuracy", 20, 0.6, 0.1),
        ("maze", "WD*C", "accuracy", 20, np.nan, np.nan),
        ("maze", "WD*C", "entropy", 20, 1.5, 0.3),
        ("maze", "W", "accuracy", 20, 0.6, 0.1),
    )
    ours = pd.concat([runs([0.25] * 3, entropy=np.nan), runs([0.6], arm="W", entropy=1.0)])
    found = reproduction(ours, rows)
    assert [one.verdict for one in found] == ["not tested"] * 4
    assert [one.p_method for one in found[:3]] == ["no such run", "not defined", "not defined"]
    assert agreement(found).startswith("<svg")


def test_holm_is_over_all_that_are_tested():
    rng = np.random.default_rng(4)
    ours = pd.concat(
        [runs(rng.normal(0.8, 0.05, 20), arm=arm, entropy=rng.normal(1, 1, 20)) for arm in "ab"]
    )
    rows = published(
        *(("maze", arm, "accuracy", 20, 0.8 - 0.04 * (arm == "b"), 0.05) for arm in "ab"),
        *(("maze", arm, "entropy", 20, 1.2, 1.0) for arm in "abc"),
    )
    found = reproduction(ours, rows)
    p = np.array([one.p for one in found[:4]])
    order = np.argsort(p)
    adjusted = np.empty(4)
    adjusted[order] = np.maximum.accumulate(np.minimum(1, p[order] * [4, 3, 2, 1]))
    assert [one.p_holm for one in found[:4]] == pytest.approx(adjusted)
    assert np.isnan(found[4].p_holm)
    assert [one.verdict_holm == "differs" for one in found[:4]] == [*(adjusted < 0.05)]
    assert [one.verdict == "differs" for one in found[:4]] == [*(p < 0.05)]
    assert {one.verdict for one in found[:4]} == {"agrees", "differs"}


def test_tables_that_cannot_be_meant_are_refused():
    rows = published(("maze", "WD*C", "accuracy", 20, 0.6, 0.1))
    ours = runs([0.6, 0.7])
    for results, means, words in (
        (ours, rows.drop(columns="sd"), "no column sd"),
        (ours, pd.concat([rows, rows]), "maze, WD.C, accuracy is there twice"),
        (ours, rows.assign(outcome="entropy"), "no column entropy"),
        (pd.concat([ours, ours.assign(recipe="clipped")]), rows, "several values of recipe"),
    ):
        with pytest.raises(BadInput, match=words):
            reproduction(results, means)


@pytest.fixture
def tables(shared):
    return reproduced.read_published(shared / "published")


def test_the_reader_has_what_the_published_tables_print(shared, tables):
    text = (shared / "published" / "published_results.md").read_text()
    headings = {
        "maze": "One-choice (1-step) inference — unconstrained",
        "go_no_go": "Go/NoGo — unconstrained",
        "perceptual": "Perceptual decision-making — unconstrained",
    }
    outcomes = ["accuracy", "modularity_greedy", "small_worldness", "assortativity", "entropy"]
    by_place = tables.set_index(["task", "arm", "outcome"])
    printed = 0
    for task, heading in headings.items():
        part = text.split(f"## {heading}")[1].split("\n## ")[0]
        for arm, *cells in re.findall(
            r"^\| (W\S*) \| " + r"(.*?) \| " * 4 + r"(.*?) \|$", part, re.M
        ):
            for outcome, cell in zip(outcomes, cells, strict=True):
                mean, sd = re.match(r"(\S+) \(.*sd≈(\S+)", cell).groups()
                row = by_place.loc[(task, arm, outcome)]
                assert row["mean"] == pytest.approx(float(mean), abs=5.1e-4)
                assert row["sd"] == pytest.approx(float(sd), abs=1.7e-3)
                printed += 1
    counts = re.findall(r"^\| (W\S*) \| .*? \| (\d+)/(\d+) \| \d+/\d+ \|$", text, re.M)
    for arm, solved, n in counts:
        row = by_place.loc[("maze", arm, "solved_095")]
        assert (row["n"] * row["mean"], row["n"]) == pytest.approx((int(solved), int(n)))
    assert (printed, len(counts), len(tables)) == (165, 11, 176)


def test_the_rounding_bounds_hold_the_single_runs(shared, tables):
    content = json.loads((shared / "published" / "published_results.json").read_text())
    bound = reproduced.HALF_UNIT
    for arm, accuracy in content["task1_raw_accuracy"].items():
        printed = content["arms"][reproduced.UNCONSTRAINED]["Task1"][arm]["Accuracy"]
        to_sd = np.sqrt(20) / stats.t.ppf(0.975, 19)
        sd = (printed["ci_hi"] - printed["ci_lo"]) / 2 * to_sd
        assert abs(np.mean(accuracy) - printed["mean"]) <= bound + 1e-6
        assert abs(np.std(accuracy, ddof=1) - sd) <= bound * to_sd + 1e-6


def grid_folder(place, tables):
    """A made-up study whose runs lie where the published ones do, but for one arm of the maze."""
    rng = np.random.default_rng(0)
    means = tables.pivot(index=["task", "arm"], columns="outcome", values=["mean", "sd"])
    study = preset("grid").with_options(
        protocol="published", seeds={"maze": 6, "go_no_go": 4, "perceptual": 4}
    )
    parts = []
    for (task, arm), row in means.iterrows():
        n = study.seeds_of(task)
        columns = {
            name: row["mean"][name] + row["sd"][name] * rng.permutation(np.linspace(-1, 1, n))
            for name in row["mean"].index
            if name != "solved_095"
        }
        accuracy = columns.pop("accuracy").clip(max=1)
        if arm == "W*D*C*" and task == "maze":
            accuracy = np.linspace(0.6, 0.62, n)
        solved = accuracy >= 0.95
        parts.append(
            runs(accuracy, arm=arm, task=task, **columns).assign(
                session=6,
                status="done",
                solved=solved,
                censored=~solved,
                collapsed=False,
                penalty_dominates=False,
                run=[f"{task} {arm} {number}" for number in range(n)],
                steps_to_criterion=np.where(solved, 100, 400),
            )
        )
    results = pd.concat(parts, ignore_index=True)
    return study_folder(place, study, results), results


def test_the_page_tells_what_agrees_and_what_does_not(tmp_path, tables, monkeypatch):
    monkeypatch.setattr(reproduced, "REFERENCE", tmp_path / "absent.csv")
    folder, results = grid_folder(tmp_path, tables)
    page = page_of([folder])
    found = reproduction(results, tables)
    differing = [one for one in found if one.verdict == "differs"]
    firm = [one for one in found if one.verdict_holm == "differs"]
    assert f"**{len(differing)} of 176 comparisons differ at 5 %, {len(firm)} of them" in page
    assert "Chance alone would make about 9 differ" in page
    part = page.split("### Where they differ")[1].split("###")[0]
    rows = [line.split(" | ") for line in part.splitlines() if line.startswith("| ")][2:]
    assert [(row[0][2:], row[1].replace("\\", "")) for row in rows] == [
        (one.task, one.arm) for one in differing
    ]
    assert ("maze", "W*D*C*", "solved_095") in {(o.task, o.arm, o.outcome) for o in firm}
    assert all(row[-1] == "open |" for row in rows if row[1] == r"W\*D\*C\*")
    for name in re.findall(r'(?:srcset|src)="([^"]+)"', page):
        assert (tmp_path / name).read_text().startswith("<svg")
    monkeypatch.setattr(reproduced, "SHARED", tmp_path / "absent")
    assert page_of([folder]) == page
    (folder / "reproduction.csv").unlink()
    assert "Not compared: the published tables are not at hand." in page_of([folder])


def test_a_difference_that_another_draw_of_trials_would_make_is_explained(tmp_path):
    rows = published(
        ("go_no_go", "W", "accuracy", 20, 0.5115, 0.001),
        ("go_no_go", "WD", "accuracy", 20, 0.5300, 0.001),
        ("go_no_go", "W", "entropy", 20, 0.5115, 0.001),
    )
    ours = pd.concat(
        runs(0.505 + np.linspace(0, 1e-3, 10), arm=arm, task="go_no_go", entropy=0.5)
        for arm in ("W", "WD")
    )
    found = reproduction(ours, rows)
    assert [one.verdict for one in found] == ["differs"] * 3
    drawn = np.random.default_rng(0).normal(0.508, 0.004, 20)
    table = pd.DataFrame({"task": "go_no_go", "arm": "W", "units": 128, "accuracy": drawn})
    table.to_csv(tmp_path / "draws.csv", index=False)
    draws = read_draws(tmp_path / "draws.csv", ours)
    further = stats.t(19, drawn.mean(), np.sqrt(drawn.var(ddof=1) * 21 / 20))
    assert draws.chance["go_no_go"] == pytest.approx(further.interval(0.95))
    assert reasons_of(found, draws) == [THE_DRAW, "open", "open"]
    assert reasons_of(found, read_draws(tmp_path / "absent", ours)) == ["open"] * 3
    apart = [(arm, 0.509) for arm in ("W", "W0", "W*")] + [("WD", 0.5045)]
    found = reproduction(
        pd.concat(
            runs(0.505 + np.linspace(0, 1e-3, 10), arm=arm, task="go_no_go") for arm, _ in apart
        ),
        published(*(("go_no_go", arm, "accuracy", 20, mean, 0.001) for arm, mean in apart)),
    )
    assert reasons_of(found, draws) == [THE_DRAW] * 3 + ["open"]


def in_keras(file, ours, shifts):
    """Runs in Keras whose assortativity is that of ours of the same seeds, moved."""
    moved = ours["assortativity"] + ours["arm"].map(shifts)
    made = ours.assign(assortativity=moved, keras="3.15.1", tensorflow="2.21.0")
    made[ours["arm"].isin(list(shifts))].to_csv(file, index=False)


def test_keras_tells_whether_the_training_is_the_reason(tmp_path):
    shifts = {"as ours": 0.0, "as theirs": 0.1, "between": 0.05, "beyond": -0.06}
    arms, jitter = (*shifts, "not trained"), np.array([0.001, -0.001, 0.002, 0.0])
    graph = {"modularity_greedy": 0.1, "small_worldness": 1.0, "entropy": 0.3}
    ours = pd.concat(
        runs(np.full(4, 0.5), arm=arm, task="maze", assortativity=0.1 + jitter, **graph)
        for arm in arms
    ).assign(penalty_start=3.0)
    file = tmp_path / "reference.csv"
    in_keras(file, ours.assign(assortativity=ours["assortativity"] + np.tile(jitter, 5)), shifts)
    rows = published(*(("maze", arm, "assortativity", 20, 0.2, 1e-3) for arm in arms))
    reference = read_reference(file, ours, rows)
    paired = reference["maze", "between", "assortativity"].minus_ours
    half = stats.t.ppf(0.975, 3) * stats.sem(jitter)
    middle = 0.05 + jitter.mean()
    assert (paired.low, paired.high) == pytest.approx((middle - half, middle + half))
    found = reasons_of(reproduction(ours, rows), Draws({}, {}), reference)
    assert found == [NOT_THE_TRAINING, THE_TRAINING, "open", "open", "open"]
    assert read_reference(tmp_path / "absent", ours, rows) == {}
    said, *table = of_the_reference(file, reference, reproduction(ours, rows))
    assert "keras 3.15.1, tensorflow 2.21.0" in said
    row = next(line for line in table if line.startswith("| maze, between"))
    cells = row.replace("−", "-")[2:-2].split(" | ")
    assert cells[1:6] == ["assortativity", "4", "0.151", "0.101", "0.200"]
    gap = [float(word) for word in re.findall(r"[+-][\d.]+", cells[6])]
    assert gap == pytest.approx([paired.estimate, paired.low, paired.high], abs=0.000501)
    assert of_the_reference(file, {}, reproduction(ours, rows)) == []
    in_keras(file, ours.assign(penalty_start=3.001), shifts)
    with pytest.raises(ValueError, match=r"penalties at the start differ by 3\.3e-04"):
        read_reference(file, ours, rows)


@pytest.mark.parametrize("task", [maze(), perceptual()], ids=["maze", "perceptual"])
def test_keras_gets_the_trials_that_our_runs_are_trained_on(task):
    rng = np.random.default_rng(0)
    start = initial_weights(
        0.9 * np.eye(16), task.inputs.shape[2], task.n_outputs, np.random.default_rng(1), rng
    )
    schedule = Schedule(epochs=1, training_trials=1280, noise=0.0)
    outcome = train(
        task,
        start,
        PenaltyKind(),
        PenaltyInputs(0.0),
        seed=5,
        recipe=Recipe(learning_rate=1e-30),
        schedule=schedule,
        shared_draws=True,
    )
    trials, labels = trials_in_order(task, 1280)
    state = np.zeros((1280, 16))
    for step in range(trials.shape[1]):
        state = np.maximum(trials[:, step] @ start.input + state @ start.recurrent, 0)
    scores = state @ start.readout
    loss = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(1280), labels]
    expected = loss.reshape(2, 640).mean(axis=1)
    np.testing.assert_allclose(outcome.training_loss, expected, rtol=1e-5)


def test_a_difference_in_topology_is_explained_by_what_draws_make_beyond_runs(tmp_path):
    rng = np.random.default_rng(0)
    moved, still, within = (
        rng.normal(0, 0.05, 10),
        rng.normal(0, 0.01, 10),
        np.linspace(0, 0.03, 10),
    )
    of_draws = {"WDC": moved, "W*DC*": still}
    pd.concat(
        pd.DataFrame(
            {"task": "maze", "arm": arm, "units": 312, "accuracy": 0.5, "assortativity": values}
        ).assign(modularity_greedy=0.1, small_worldness=1.0, entropy=0.3)
        for arm, values in of_draws.items()
    ).to_csv(tmp_path / "draws.csv", index=False)
    graph = {"modularity_greedy": 0.1, "small_worldness": 1.0, "entropy": 0.3}
    ours = pd.concat(
        runs(np.full(10, 0.5), arm=arm, task="maze", assortativity=within, **graph)
        for arm in (*of_draws, "WD")
    )
    draws = read_draws(tmp_path / "draws.csv", ours)
    between = moved.var(ddof=1) - within.var(ddof=1)
    pair = stats.t.ppf(0.975, 9) * np.sqrt(2 * between)
    assert draws.topology["maze", "WDC", "assortativity"] == pytest.approx(pair)
    assert draws.topology["maze", "W*DC*", "assortativity"] == 0

    def reasons(theirs):
        rows = published(
            *(("maze", a, "assortativity", 20, theirs, 1e-3) for a in (*of_draws, "WD"))
        )
        return reasons_of(reproduction(ours, rows), draws)

    assert reasons(within.mean() + 0.9 * pair) == [THE_DRAW, "open", "open"]
    assert reasons(within.mean() - 0.9 * pair) == [THE_DRAW, "open", "open"]
    assert reasons(within.mean() + 1.5 * pair) == ["open"] * 3


@pytest.mark.slow
def test_the_draw_of_trials_is_what_moves_a_network_that_never_learns(monkeypatch):
    def accuracies():
        return [row["accuracy"] for row in draws.draws("synthetic:24", "maze", ["W"], 16, 2)]

    first = accuracies()
    monkeypatch.setattr(draws, "FIRST_DRAW", 7)
    assert not set(first) & set(accuracies())


@pytest.mark.parametrize("narrow", [False, True])
def test_the_figure_marks_every_difference(narrow):
    rows = published(
        ("maze", "W", "accuracy", 20, 0.7, 0.01),
        ("maze", "WD", "accuracy", 20, 0.6, 0.01),
        ("go_no_go", "W", "accuracy", 20, 0.6, 0.01),
    )
    ours = pd.concat(
        runs(np.linspace(0.59, 0.61, 10), arm=arm, task=task)
        for arm in ("W", "WD")
        for task in ("maze", "go_no_go")
    )
    found = reproduction(ours, rows)
    drawn = agreement(found, narrow=narrow)
    marks = re.findall(r">≠</", drawn)
    assert len(marks) == sum(one.verdict == "differs" for one in found) == 1
    assert "W, maze, accuracy." in drawn
    assert f"max-width:{358 if narrow else 960}px" in drawn


def test_the_frame_has_both_sides_and_the_difference():
    rows = published(("maze", "WD*C", "accuracy", 20, 0.6, 0.1))
    found = reproduction(runs([0.5, 0.6, 0.9]), rows)
    (row,) = agreement_frame(found).to_dict("records")
    assert (row["ours_n"], row["theirs_n"], row["theirs"]) == (3, 20, 0.6)
    assert row["difference"] == pytest.approx(row["ours"] - row["theirs"])
    assert row["difference_low"] < row["difference"] < row["difference_high"]
