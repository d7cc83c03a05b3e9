"""The report: fabricated studies on one page, and what a reader of it relies on."""

import base64
import csv
import html
import io
import json
import os
import re
import subprocess
import time
import warnings
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from biosernn.analysis.analyse import analyse
from biosernn.analysis.family import Primary
from biosernn.analysis.findings import Interval
from biosernn.cohort.cohort import Cohort
from biosernn.cohort.wiring import Wiring
from biosernn.report.comparison import FOLLOW_UP
from biosernn.report.composition import BETWEEN, NEITHER, SELF, WHOLE, WIRED, composition
from biosernn.report.effect_strip import WIDTH, effect_strip
from biosernn.report.first_screen import facts, notes
from biosernn.report.generalisation import DELAY, NOISE, generalisation_values, levels
from biosernn.report.inputs import Network
from biosernn.report.kept import kept_table
from biosernn.report.ladder import ladder, thumbnail
from biosernn.report.learning_curves import learning_curves
from biosernn.report.methods import methods
from biosernn.report.page import ReportInputs, render
from biosernn.report.setting import median_run, settings
from biosernn.report.similarity_matrices import shrink
from biosernn.report.strength_sweep import sweep_values
from biosernn.report.style import fit
from biosernn.report.tables import overview_table
from biosernn.report.topology import SHAPE, topology_medians, topology_values
from biosernn.report.trained_network import strongest
from biosernn.report.weight_distance import weight_distance_values
from biosernn.report.weight_matrices import main_arms
from biosernn.study.arms import ARMS, Arm, Init
from chromium import find_browser

STEPS = np.arange(0, 401, 5)
ENDS = STEPS[::8]
LEVELS = {DELAY.columns: (5, 10, 20, 40, 80), NOISE.columns: (0.0, 0.1, 0.2, 0.3, 0.4)}
SOON = {"W*D*C": 60, "diagonal-only": 70, "shuffled-in-bins": 75, "positions-shuffled": 62}


def cohort(n: int = 24, **parts) -> Cohort:
    rng = np.random.default_rng(0)
    positions = rng.normal(0, 1, (n, 3)) * (227, 8, 121) + (900, 400, 800)
    similarity = np.corrcoef(rng.normal(size=(n, 40)) + 0.4 * rng.normal(size=40))
    similarity = (similarity + similarity.T) / 2
    pre, post = np.nonzero(np.triu(rng.random((n, n)) < 0.1, 1))
    known = {
        "wiring": Wiring(pre, post, np.ones_like(pre)),
        "corr": similarity,
        "sttc": similarity * 0.8 + 0.2 * np.eye(n),
    } | parts
    return Cohort(
        neurons={
            "nucleus_id": np.arange(1, n + 1),
            "root_id": np.arange(1, n + 1),
            "unit_id": np.arange(n),
            "session": np.full(n, 6),
            "scan": np.full(n, 6),
            "field": np.full(n, 2),
        },
        positions_um=positions,
        provenance={"name": "6_6_2", "kind": "release"},
        **known,
    )


def one_run(rng, arm: Arm, recipe: str, diverges: bool) -> tuple[dict, pd.DataFrame]:
    """A run that stays at the memoryless line, or leaves it at some step."""
    bio = arm.init not in ("orthogonal", "off-diagonal", "off-diagonal-rescaled")
    chance = 0.9 if bio else (0.75 if recipe == "clipped" else 0.1)
    soon = SOON.get(arm.name, 80 if bio else 180) * (0.8 if recipe == "clipped" else 1)
    turn = float(rng.lognormal(np.log(soon), 0.35)) if rng.random() < chance else 500.0
    rise = 1 / (1 + np.exp(-(STEPS - turn) / 8))
    accuracy = 0.25 + 0.375 * (1 - np.exp(-STEPS / 12)) + 0.375 * rise
    accuracy = np.where(accuracy > 0.98, 1.0, np.round(accuracy * 16) / 16)
    noise = np.exp(rng.normal(0, 0.2, len(STEPS)))
    data = noise * np.where(rise > 0.5, 0.05, 0.8) * (1 if bio else 60 * np.exp(-STEPS / 80))
    penalty = 0.1 * np.exp(-STEPS / 150) + 0.02
    if diverges:
        accuracy, data = np.where(STEPS > 100, 0.25, accuracy), np.where(STEPS > 100, np.nan, data)
    right = accuracy >= 1
    reached = bool(right.any()) and not diverges
    curves = {
        "accuracy": accuracy,
        "loss": 1.5 - accuracy,
        "gradient_norm_data": data,
        "gradient_norm_penalty": penalty,
    }
    frame = pd.concat(
        [
            *(pd.DataFrame({"step": STEPS, "metric": m, "value": v}) for m, v in curves.items()),
            *(
                pd.DataFrame({"step": ENDS, "metric": m, "value": rng.random(len(ENDS)) * scale})
                for m, scale in zip(SHAPE, (1, 3, 1, 9000, -1, 0.05, 20, 0.2, 5, 0.1), strict=True)
            ),
        ]
    )
    row = {
        "status": "diverged" if diverges else "done",
        "accuracy": float(accuracy[-1]),
        "accuracy_best": float(accuracy.max()),
        "solved": bool(right[-1]) and not diverges,
        "steps_to_criterion": int(STEPS[right.argmax()]) if reached else 400,
        "censored": not reached,
        "collapsed": False,
        "penalty_dominates": bool(np.nanmean(data) < penalty.mean()),
        "gradient_norm_data_max": float(np.nanmax(data)),
        "clipped_share": 0.0 if recipe == "seed" else float(np.nanmean(data > 1)),
        "largest_self_weight": 0.95 if bio else 0.1,
        "eigenvalues_above_0.8": 2,
        "spectral_radius": 0.95,
        "radius_without_diagonal": 0.43,
        "spectral_radius_end": 1.1,
    }
    for challenge, fall in ((DELAY, 0.08), (NOISE, 0.02)):
        for place, level in enumerate(LEVELS[challenge.columns]):
            column = f"{challenge.columns}{level}"
            row[column] = np.nan if diverges else row["accuracy"] * (1 - fall * place)
    return row, frame


def fabricate(
    arms=("W*D*C", "shuffled-in-bins", "WD*C"),
    *,
    seeds: int = 12,
    conditions=(("corrected", "seed"), ("corrected", "clipped")),
    strengths=(0.3,),
    diverging=(),
    recorded: Cohort | None = None,
    **provenance,
) -> ReportInputs:
    """A study's results as if it had been run."""
    rng = np.random.default_rng(1)
    recorded = recorded or cohort()
    arms = [arm if isinstance(arm, Arm) else ARMS[arm] for arm in arms]
    rows, curves = [], []
    for protocol, recipe in conditions:
        for strength in strengths:
            for arm in arms:
                for seed in range(seeds):
                    row, curve = one_run(rng, arm, recipe, arm.name in diverging)
                    run = f"{len(rows):08x}"
                    rows.append(
                        {
                            "run": run,
                            "cohort": recorded.name,
                            "session": 6,
                            "arm": arm.name,
                            "task": "maze",
                            "seed": seed,
                            "protocol": protocol,
                            "recipe": recipe,
                            "units": 24,
                            "strength": strength,
                            "strength_used": strength,
                        }
                        | row
                    )
                    curves.append(curve.assign(run=run))
    results = pd.DataFrame(rows)
    networks = {arm.name: network(arm, rng) for arm in arms}
    return ReportInputs(
        results=results,
        curves=pd.concat(curves, ignore_index=True),
        analysis=analyse(results, primary=Primary()),
        cohort=recorded,
        networks=networks,
        arms={arm.name: arm.table() for arm in arms},
        provenance={
            "study": "0123456789abcdef",
            "name": "paper",
            "units": 24,
            "planned": len(rows),
            "finished": len(rows),
            "notes": ["6_6_2 has no events: shipped matrices used"],
            "versions": {"biosernn": "0.1", "jax": "0.7"},
        }
        | provenance,
    )


def network(arm: Arm, rng) -> Network:
    start = start_weights(arm, rng)
    end = start + rng.normal(0, 0.05, start.shape).astype(np.float32)
    positions = rng.normal(0, 1, (len(start), 3)) * (227, 8, 121)
    return Network(start, end, positions, 0, "clipped")


def start_weights(arm: Arm, rng, n: int = 48) -> np.ndarray:
    if arm.init == "orthogonal":
        return np.linalg.qr(rng.normal(size=(n, n)))[0].astype(np.float32)
    off = rng.lognormal(-6.5, 0.8, (n, n)) * np.outer(rng.random(n) + 0.3, rng.random(n) + 0.3)
    if arm.init.startswith("wiring"):
        off = np.where(rng.random((n, n)) < 0.003, 0.1, 0)
    np.fill_diagonal(off, rng.lognormal(-1.3, 0.5, n))
    if arm.init == "diagonal-only":
        off = np.diag(np.diag(off))
    if arm.init.startswith("off-diagonal"):
        np.fill_diagonal(off, 0)
    if arm.init == "constant-diagonal":
        np.fill_diagonal(off, np.diag(off).mean())
    return off.astype(np.float32)


NASTY = '<script>alert(1)</script> & $a_b$ "quoted"'


@pytest.fixture(scope="module")
def inputs() -> ReportInputs:
    return fabricate(("W*D*C", "shuffled-in-bins", "WD*C", Arm(NASTY, init="identity")))


@pytest.fixture(scope="module")
def report(inputs, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(inputs), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def text(report) -> str:
    return report.read_text(encoding="utf-8")


def svgs(text: str) -> list[str]:
    return re.findall(r"<svg.*?</svg>", text, re.DOTALL)


class Elements(HTMLParser):
    """Every element with its attributes, and the words outside of style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_page_loads_nothing(text):
    elements = Elements(text).found
    assert not {"script", "link", "iframe", "img", "object", "embed"} & {tag for tag, _ in elements}
    for tag, attributes in elements:
        for name in ("src", "href", "srcset", "data", "poster"):
            address = attributes.get(name) or ""
            assert tag == "a" or address.startswith(("data:", "#")) or not address
        assert not any(name.startswith("on") for name in attributes)
    assert not re.search(r"url\((?!#)|@import", text)


@pytest.mark.parametrize("n_runs", [1, 2, 7, 8])
def test_the_median_run_is_that_of_the_runs_with_a_number(n_runs):
    values = np.random.default_rng(n_runs).normal(size=(40, n_runs))
    values[np.random.default_rng(0).random(values.shape) < 0.4] = np.nan
    with warnings.catch_warnings(action="ignore"):
        expected = np.nanmedian(values, axis=1)
    np.testing.assert_array_equal(median_run(pd.DataFrame(values)), expected)


def test_every_figure_is_an_image_with_words(text):
    labels = []
    for svg in svgs(text):
        root = ElementTree.fromstring(svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.get("role") == "img"
        labels.append(root.get("aria-label"))
    assert len(labels) > 20
    assert all(len(label) > 20 for label in labels)
    assert any(NASTY in label for label in labels)


def test_ids_of_a_page_are_distinct_and_references_resolve(text):
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)|href=\"#([\w-]+)\"", text)) - {("", "")}
    for pair in re.findall(r"url\(#([^)]+)\)|href=\"#([\w-]+)\"", text):
        assert "".join(pair) in ids


def test_names_are_escaped(text):
    assert "<script" not in text
    assert html.escape(NASTY) in text.replace("&#34;", "&quot;")


def test_size_and_determinism(inputs, report, text):
    assert report.stat().st_size < 5e6
    assert render(inputs) == text


def test_downloads_are_the_tables(inputs, text):
    files = {
        attributes["download"]: base64.b64decode(attributes["href"].split(",", 1)[1])
        for tag, attributes in Elements(text).found
        if tag == "a" and (attributes.get("download") or "").endswith(".csv")
    }
    assert {"results.csv", "arms.csv", "contrasts.csv"} < set(files)
    assert len(files) - 3 == text.count("</table>")
    read = {name: list(csv.reader(io.StringIO(data.decode()))) for name, data in files.items()}
    head, *rows = read["results.csv"]
    assert head == list(inputs.results.columns)
    for row, given in zip(rows, inputs.results.itertuples(index=False), strict=True):
        assert [
            type(value)(cell)
            for cell, value in zip(row, given, strict=True)
            if not isinstance(value, bool)
        ] == [v for v in given if not isinstance(v, bool)]
    for name, column, values in (
        ("arms.csv", "solved_low", [s.solved.low for s in inputs.analysis.arms]),
        ("contrasts.csv", "effect_high", [c.effect.high for c in inputs.analysis.contrasts]),
    ):
        head, *rows = read[name]
        assert [float(row[head.index(column)]) for row in rows] == values


def test_first_screen_says_what_was_found(inputs, text):
    first = text[text.index("<main>") : text.index('id="part-1"')]
    assert html.escape(inputs.analysis.finding) in first
    for contrast in inputs.analysis.headline:
        assert contrast.verdict in first
        assert contrast.reason in html.unescape(first)
    for contrast in inputs.analysis.plain_gap:
        rounded = round(100 * contrast.effect.estimate)
        points = f"{rounded:+d} points solved".replace("-", "−") if rounded else "0 points solved"
        assert f"Recipe {contrast.recipe}" in first
        assert points in first
    for words in ("37 %", "0.625", "1.000", "does not say", "shipped matrices used"):
        assert words in first
    assert "Too few to tell" not in first


def test_too_few_seeds_missing_runs_and_extended_seeds():
    few = fabricate(
        ("W*D*C", "W"),
        seeds=1,
        conditions=(("corrected", "seed"),),
        diverging=("W*D*C", "W"),
        recorded=cohort(wiring=None, corr=None, sttc=None),
        planned=5,
        sessions=[{"seeds": 1, "versions": {}}, {"seeds": 2, "versions": {}}],
    )
    drawn = render(few)
    assert "<b>Too few to tell:</b> 1 seeds per arm" in drawn
    assert ("runs finished", "2 of 5") in facts(few)
    assert ("diverged", "2") in facts(few)
    said = notes(few, settings(few.analysis, few.results)[0])
    assert "3 of the planned runs are not finished and not counted here." in said
    assert "The study was extended: 1 → 2 seeds per arm." in said
    assert "Diverged runs count as failures: W*D*C 1, W 1." in said
    assert any("lacks: wiring, corr, sttc" in note for note in said)
    assert "Functional similarity" not in drawn
    assert "No wiring is known." in drawn
    assert "not tested" in drawn


def test_arms_whose_penalty_leads_are_named(inputs):
    lead = settings(inputs.analysis, inputs.results)[0]
    led = {
        cell: replace(summary, n_penalty_dominates=3 if cell[1] == "seed" else 2)
        for cell, summary in lead.summaries.items()
        if cell[0] == "WD*C"
    }
    note = next(n for n in notes(inputs, replace(lead, summaries=led)) if "penalty’s" in n)
    assert note.endswith(": WD*C under seed (3/12).")


@pytest.mark.parametrize(
    ("provenance", "said"),
    [
        ({"kind": "release"}, "1"),
        ({"kind": "synthetic"}, "0, synthetic"),
        ({"kind": "mine"}, "not known"),
        ({"kind": "mine", "n_mice": 4}, "4"),
    ],
)
def test_animals_are_counted_where_the_source_says(inputs, provenance, said):
    cohort = replace(inputs.cohort, provenance=provenance)
    assert said in [value for _, value in facts(replace(inputs, cohort=cohort))]


def test_ladder_has_a_row_for_every_arm(inputs):
    lead = settings(inputs.analysis, inputs.results)[0]
    for narrow in (False, True):
        svg = ladder(lead, inputs.arms, inputs.weights, narrow=narrow)
        words = [t.text for t in ElementTree.fromstring(svg).iter() if t.tag.endswith("}text")]
        for arm in inputs.arms:
            assert fit(arm, 350 if narrow else 220, 12) in words
        for summary in lead.summaries.values():
            assert f"{summary.n_solved}/{summary.n}" in words
        assert svg.count("<image") == len(inputs.weights) + 1
        assert any("37 %" in (word or "") for word in words)
    elsewhere = ladder(replace(lead, task="mine"), inputs.arms, {})
    assert "37 %" not in elsewhere
    assert elsewhere.count("<image") == 1


def test_learning_curves_draw_every_run_of_their_recipe(inputs):
    lead = settings(inputs.analysis, inputs.results)[0]
    accuracies = lead.curve(inputs.curves, "accuracy")
    curve = accuracies["WD*C", "clipped"]
    runs = inputs.results.query("arm == 'WD*C' and recipe == 'clipped'")["run"]
    assert sorted(curve.columns) == sorted(runs)
    for run in runs[:2]:
        mine = inputs.curves.query("run == @run and metric == 'accuracy'")
        assert curve[run].tolist() == mine["value"].tolist()
    svg = learning_curves(lead, "clipped", accuracies, inputs.arms)
    drawn = re.findall(r'<g style="[^"]*opacity: 0\.5;[^>]*>(.*?)</g>', svg, re.DOTALL)
    assert [len(re.findall("<path d=", panel)) for panel in drawn] == [12] * 4


def test_generalisation_is_the_mean_of_the_runs(inputs):
    lead = settings(inputs.analysis, inputs.results)[0]
    assert levels(lead, DELAY) == ["5", "10", "20", "40", "80"]
    values = generalisation_values(lead, DELAY)
    row = values.query("arm == 'WD*C' and recipe == 'clipped' and delay == 80").iloc[0]
    runs = inputs.results.query("arm == 'WD*C' and recipe == 'clipped'")
    solved = runs[runs["solved"]]
    assert row["accuracy_mean"] == pytest.approx(runs["accuracy_delay_80"].mean())
    assert row["accuracy_mean_solved"] == pytest.approx(solved["accuracy_delay_80"].mean())
    assert (row["n_runs"], row["n_solved"]) == (len(runs), len(solved))
    without = replace(lead, runs=lead.runs.assign(**dict.fromkeys(lead.runs.columns[-10:], np.nan)))
    assert levels(without, DELAY) == levels(without, NOISE) == []


def test_topology_is_the_median_of_the_runs(inputs):
    lead = settings(inputs.analysis, inputs.results)[0]
    shape = {metric: lead.curve(inputs.curves, metric) for metric in SHAPE}
    runs = inputs.results.query("arm == 'W*D*C' and recipe == 'seed'")["run"]
    known = inputs.curves.query("metric == 'small_worldness' and step == 40")
    known = known[known["run"].isin(runs)]
    medians = topology_medians(lead, "seed", shape)
    assert medians["small_worldness"]["W*D*C"][40] == known["value"].median()
    rows = topology_values(lead, "seed", shape).query("arm == 'W*D*C' and step == 40")
    row = rows.query("metric == 'small_worldness'").iloc[0]
    assert row["lower_quartile"] == pytest.approx(known["value"].quantile(0.25))
    assert row["n_runs"] == len(known) == 12
    assert topology_medians(lead, "seed", {metric: {} for metric in SHAPE}) == {}


def test_weight_against_distance_against_a_loop(inputs):
    network = inputs.networks["W*D*C"]
    values = weight_distance_values(["W*D*C"], inputs.networks).query("training == 'after'")
    n, pairs = len(network.end), []
    for i in range(n):
        for j in range(n):
            if i != j:
                apart = np.sqrt(((network.positions_um[i] - network.positions_um[j]) ** 2).sum())
                pairs.append((apart, abs(float(network.end[i, j]))))
    pairs.sort()
    assert values["n_pairs"].sum() == len(pairs)
    nearest = pairs[: values["n_pairs"].iloc[0]]
    assert values["mean_absolute_weight"].iloc[0] == pytest.approx(np.mean([w for _, w in nearest]))


def test_diverged_networks_are_not_drawn(inputs):
    lead = settings(inputs.analysis, inputs.results)[0]
    broken = replace(inputs.networks["W*D*C"], end=np.full((48, 48), np.nan))
    networks = inputs.networks | {"W*D*C": broken}
    assert main_arms(lead, inputs.networks) == list(inputs.arms)
    assert main_arms(lead, networks) == list(inputs.arms)[1:]
    drawn = render(replace(inputs, networks=dict.fromkeys(inputs.arms, broken)))
    assert "before and after training" not in drawn


def test_strongest_weights_are_between_units():
    weights = np.random.default_rng(0).normal(size=(20, 20))
    np.fill_diagonal(weights, 99)
    chosen = strongest(weights)
    found = sorted(abs(weights[i, j]) for i, j in chosen)
    between = sorted(abs(weights[i, j]) for i in range(20) for j in range(20) if i != j)
    assert found == between[-100:]
    assert len(strongest(np.eye(5))) == 0


@pytest.mark.slow
def test_strength_is_swept_where_there_are_several():
    several = fabricate(("W*D*C", "WD*C"), seeds=2, strengths=(0.0, 0.1, 0.3))
    results = several.results.query("arm != 'WD*C' or strength == 0.1")
    analysis = analyse(results, primary=Primary())
    values = sweep_values(analysis, settings(analysis, results)[0])
    assert set(values["arm"]) == {"W*D*C"}
    row = values.query("recipe == 'seed' and strength == 0.3").iloc[0]
    runs = results.query("arm == 'W*D*C' and recipe == 'seed' and strength == 0.3")
    assert row["mean_steps"] == runs["steps_to_criterion"].mean()
    assert row["solved"] == runs["solved"].mean()
    drawn = render(replace(several, results=results, analysis=analysis))
    assert "Fraction solved against the penalty’s strength" in drawn
    assert "λ = 0.3: fraction solved" in drawn


def test_methods_cite_in_order_and_say_what_was_run(inputs):
    written = methods(inputs, settings(inputs.analysis, inputs.results))
    paragraph, listed = written.split("\n\n")
    marks = re.findall(r"\[([\d, ]+)\]", paragraph)
    cited = [int(number) for mark in marks for number in mark.split(", ")]
    assert list(dict.fromkeys(cited)) == list(range(1, len(listed.splitlines()) + 1))
    for words in ("24 relu units", "12 seeds", "96 runs", "none diverged", "λ = 0.3", "jax 0.7"):
        assert words in paragraph
    for arm in inputs.arms:
        assert arm in paragraph


def test_methods_say_what_the_study_has_and_nothing_else(inputs):
    def of(results=inputs.results, **changed):
        changed = replace(inputs, results=results, **changed)
        return methods(changed, settings(changed.analysis, changed.results))

    assert "λ Σ |W| ⊙ C ⊙ D" in of()
    assert "within the family fixed beforehand; all other contrasts are exploratory" in of()
    own = {"mine": {"init": "bio", "sign": "dale", "strength": 0.01, "communicability": "own"}}
    assert "mine (bio, bio, communicability own, λ = 0.01, signs by cell class" in of(arms=own)
    without_geometry = {"W": {"geometry": "none"}, "W0": {"geometry": "none", "strength": 0.0}}
    l1 = of(arms=without_geometry)
    assert "penalty: λ Σ |W|. λ" in l1
    assert "⊙" not in l1
    released = inputs.results.assign(protocol="published")
    runs = analyse(released.drop_duplicates(["arm", "seed", "recipe"]), primary=Primary())
    assert "penalty: Σ |W| without λ. λ" in of(released, analysis=runs, arms=without_geometry)
    both = pd.concat([inputs.results, released.assign(run="again " + released["run"])])
    runs = analyse(both, primary=Primary())
    said = of(both, analysis=runs, arms=without_geometry)
    assert "penalty: λ Σ |W| or Σ |W| without λ. λ" in said
    tuned = inputs.results.assign(recipe="tuned", protocol="published")
    said = of(tuned, analysis=analyse(tuned.drop_duplicates(["arm", "seed"]), primary=Primary()))
    assert "learning rate 0.001" not in said
    assert "λ = 0.3, used as it is." in said
    assert "; all contrasts are exploratory." in said
    several = (
        {"name": "one", "neurons": 30, "source": {}},
        {"name": "two", "neurons": 20, "source": {}},
    )
    drawn = of(provenance=inputs.provenance | {"cohorts": several, "units": None})
    assert "networks of relu units were trained" in drawn
    assert "each seed drew its own" not in drawn


def with_other(column: str, value: object) -> ReportInputs:
    """A study twice, the second time with another task or cohort."""
    once = fabricate(("W*D*C", "shuffled-in-bins"), seeds=3)
    runs, curves = once.results, once.curves
    again = {"results": runs.assign(**{column: value}), "curves": curves.copy()}
    for frame in again.values():
        frame["run"] = "again " + frame["run"]
    results = pd.concat([runs, again["results"]], ignore_index=True)
    return replace(
        once,
        results=results,
        curves=pd.concat([curves, again["curves"]], ignore_index=True),
        analysis=analyse(results, primary=Primary()),
    )


def test_learning_curves_say_which_trials_they_are_of(text):
    noisy, noiseless = "held-out trials as drawn, each with", "Noise-free accuracy on the distinct"
    assert noiseless in text
    assert noisy not in text
    both = render(with_other("task", "perceptual"))
    assert noiseless in both
    assert noisy in both


def test_contrasts_over_cohorts_are_a_table(inputs, text):
    assert "Contrasts over cohorts" not in text
    page = render(with_other("cohort", "5_6_8"))
    assert "Contrasts over cohorts, clustered by session" in page
    assert "not estimable: sessions known 1, needed 5" in page


def test_what_networks_keep_is_worked_out_by_another_route(inputs):
    rng, results = np.random.default_rng(0), inputs.results.copy()
    results["functional_kept_end"] = rng.normal(0.1, 0.05, len(results))
    results["functional_kept_p"] = rng.choice([0.01, 0.05, 0.3], len(results))
    results.loc[results["seed"] == 0, ["functional_kept_end", "functional_kept_p"]] = np.nan
    setting = settings(inputs.analysis, results)[0]
    table = kept_table(setting)
    for row in table.rows:
        runs = setting.runs[(setting.runs[["arm", "recipe"]] == list(row[:2])).all(axis=1)]
        runs = runs[runs["seed"] > 0]
        values = runs["functional_kept_end"].to_numpy()
        half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
        cells = dict(zip(table.columns, row, strict=True))
        said = [
            float(word) for word in re.findall(r"-?[\d.]+", cells["after it"].replace("−", "-"))
        ]
        mean = values.mean()
        assert said == pytest.approx([mean, mean - half, mean + half], abs=0.000501)
        beyond = (runs["functional_kept_p"] <= 0.05).sum()
        assert cells["beyond relabelled"] == f"{beyond}/{len(runs)}"
        assert cells["beyond degrees and distance"] == cells["Weights needed"] == "–"


def test_settings_share_arms_of_a_single_strength():
    several = fabricate(("W*D*C", "WD*C"), seeds=2, strengths=(0.1, 0.3))
    results = several.results.query("arm != 'WD*C' or strength == 0.1")
    found = settings(analyse(results, primary=Primary()), results)
    assert [setting.strength for setting in found] == [0.3, 0.1]
    for setting in found:
        assert setting.arms == ("W*D*C", "WD*C")
        assert set(setting.of("W*D*C", "seed")["strength"]) == {setting.strength}
        assert set(setting.of("WD*C", "seed")["strength"]) == {0.1}
        assert {c.strength for c in setting.contrasts if c.n} == {setting.strength}
    table = overview_table(found)
    assert [row[1] for row in table.rows] == ["seed", "clipped"] * 2
    assert all("/2" in cell for row in table.rows for cell in row[2:])


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ("corrected", None),
        ("published", "positions are scrambled and synapse counts are other neurons’"),
        ("corrected+connectome_order", "corrected+connectome_order synapse counts are other"),
    ],
)
def test_positions_and_synapses_that_are_not_their_neurons_are_named(protocol, said):
    made = fabricate(("W*D*C", "WD*C"), seeds=2, conditions=((protocol, "seed"),))
    told = [
        note for note in notes(made, settings(made.analysis, made.results)[0]) if "tissue" in note
    ]
    assert [said in note for note in told] == ([] if said is None else [True])


def test_the_primary_contrast_is_drawn_first():
    conditions = (("published", "seed"), ("corrected", "clipped"))
    both = fabricate(("W*D*C", "shuffled-in-bins"), seeds=2, conditions=conditions)
    found = settings(both.analysis, both.results)
    assert [setting.protocol for setting in found] == ["corrected", "published"]
    assert found[1].recipes == ("seed",)
    assert found[1].n_runs() == "n = 4 runs (2 seeds per arm and recipe)"


def test_every_initialisation_has_its_kind():
    for init in get_args(Init):
        made_of = composition({"init": init})
        assert made_of.self_weights != init or init in ("bio", "orthogonal")
        if made_of.kind is WHOLE:
            assert made_of.self_weights == "bio"
        elif made_of.kind is BETWEEN:
            assert made_of.self_weights != "bio"
            assert made_of.off_diagonal.startswith("bio")
        elif made_of.kind in (SELF, WIRED):
            assert made_of.self_weights == "bio"
            assert not made_of.off_diagonal.startswith("bio")
        else:
            assert made_of.kind is NEITHER
            assert "bio" not in made_of.self_weights + made_of.off_diagonal


@pytest.mark.parametrize("n", [3, 32, 70])
def test_thumbnail_against_a_loop(n):
    rng = np.random.default_rng(n)
    weights = np.where(rng.random((n, n)) < 0.5, rng.normal(0, 0.05, (n, n)), 0)
    size = min(n, 32)
    edges = [int(x) for x in np.linspace(0, n, size + 1)]
    slow = np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            block = [
                weights[a, b]
                for a in range(edges[i], edges[i + 1])
                for b in range(edges[j], edges[j + 1])
                if (a == b) == (i == j)
            ]
            largest = max(block, key=abs)
            if largest:
                tint = min(1, max(0.06, 1 + np.log10(abs(largest)) / 4))
                slow[i, j] = np.sign(largest) * tint
    np.testing.assert_allclose(thumbnail(weights), slow, rtol=1e-12)


def test_shrink_against_a_loop():
    matrix = np.random.default_rng(0).normal(size=(11, 11))
    np.fill_diagonal(matrix, np.nan)
    edges = [int(x) for x in np.linspace(0, 11, 5)]
    slow = [
        [np.nanmean(matrix[edges[i] : edges[i + 1], edges[j] : edges[j + 1]]) for j in range(4)]
        for i in range(4)
    ]
    np.testing.assert_allclose(shrink(matrix, 4), slow, rtol=1e-12)


@pytest.mark.parametrize(
    ("outcome", "estimate", "right"),
    [("restricted_mean_steps", -30.0, True), ("solved", -0.3, False), ("solved", 0.3, True)],
)
def test_effect_strip_has_the_good_side_on_the_right(inputs, outcome, estimate, right):
    contrast = next(c for c in inputs.analysis.contrasts if c.outcome == outcome)
    effect = Interval(estimate, estimate * 1.5, estimate * 0.5, 0.95, "by hand", 12)
    root = ElementTree.fromstring(effect_strip(replace(contrast, effect=effect)))
    dot = next(shape for shape in root.iter() if shape.tag.endswith("circle"))
    assert (float(dot.get("cx")) > WIDTH / 2) == right
    nothing = replace(effect, estimate=np.nan, low=np.nan, high=np.nan)
    assert "<circle" not in effect_strip(replace(contrast, effect=nothing))


def test_published_accuracies(shared):
    published = json.loads((shared / "published" / "published_results.json").read_text())
    table = published["arms"]["unconstrained (Table 2)"]["Task1"]
    found = {
        arm: tuple(metrics["Accuracy"][key] for key in ("mean", "ci_lo", "ci_hi"))
        for arm, metrics in table.items()
    }
    assert found == FOLLOW_UP


MEASURE = """<script>
const found = {overlap: [], outside: [], smallest: 9, wide: document.documentElement.scrollWidth};
for (const svg of document.querySelectorAll("svg")) {
  const frame = svg.getBoundingClientRect();
  if (!frame.width) continue;
  found.smallest = Math.min(found.smallest, frame.width / svg.viewBox.baseVal.width);
  const words = [...svg.querySelectorAll("text")].filter(t => t.textContent.trim())
    .map(t => [t.textContent, t.getBoundingClientRect()]);
  words.forEach(([word, a], i) => {
    if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.bottom > frame.bottom + 1)
      found.outside.push(word);
    for (const [other, b] of words.slice(i + 1)) {
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 1 && down > 4) found.overlap.push([word, other]);
    }
  });
}
parent.postMessage(JSON.stringify(found), "*");
</script></body>"""
FRAME = """<title></title><script>onmessage = e => document.title = e.data</script>
<iframe src="measured.html" style="width:{width}px;height:900px;border:0"></iframe>"""


OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1400, 390])
def test_a_browser_shows_it_whole_and_legibly(text, tmp_path, width):
    browser = find_browser()
    (tmp_path / "measured.html").write_text(text.replace("</body>", MEASURE), encoding="utf-8")
    (tmp_path / "frame.html").write_text(FRAME.format(width=width))
    shown = subprocess.run(
        [
            browser,
            *OPTIONS,
            "--virtual-time-budget=20000",
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--window-size={max(width, 500)},900",
            f"--screenshot={tmp_path / 'shown.png'}",
            "--dump-dom",
            (tmp_path / "frame.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = json.loads(html.unescape(re.search("<title>(.*?)</title>", shown.stdout)[1]))
    assert found == {"overlap": [], "outside": [], "smallest": 1, "wide": width}


class Browsed:
    """A page in a headless Chromium, worked by its debugging pipe as by a hand on the keys."""

    def __init__(self, browser: str, profile: Path, address: str) -> None:
        to_read, self.to_browser = os.pipe()
        from_browser, to_write = os.pipe()

        lay_pipes = f'exec "$0" "$@" 3<&{to_read} 4>&{to_write}'
        self.process = subprocess.Popen(
            [
                *("bash", "-c", lay_pipes, browser, *OPTIONS),
                *("--remote-debugging-pipe", f"--user-data-dir={profile}"),
            ],
            pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self.answers = os.fdopen(from_browser, "rb")
        self.number, self.session = 0, {}
        page = self.say("Target.createTarget", url=address)["targetId"]
        joined = self.say("Target.attachToTarget", targetId=page, flatten=True)
        self.session = {"sessionId": joined["sessionId"]}
        self.say("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(profile.parent))
        there = f"location.href == {json.dumps(address)} && document.readyState == 'complete'"
        while not self.ask(there):
            pass

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.answers.close()
        os.close(self.to_browser)

    def say(self, method: str, **given) -> dict:
        self.number += 1
        message = {"id": self.number, "method": method, "params": given} | self.session
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        while True:
            letters = bytearray()
            while (letter := self.answers.read(1)) != b"\0":
                assert letter, "the browser is gone"
                letters += letter
            answer = json.loads(letters)
            if answer.get("id") == self.number:
                return answer["result"]

    def ask(self, expression: str):
        answer = self.say("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def press(self, key: str, text: str = "") -> None:
        keys = {"Tab": 9, "Enter": 13, " ": 32}
        code = {"key": key, "windowsVirtualKeyCode": keys[key], "text": text}
        self.say("Input.dispatchKeyEvent", type="keyDown", **code)
        self.say("Input.dispatchKeyEvent", type="keyUp", **code)

    def tab_to(self, selector: str) -> None:
        for _ in range(200):
            self.press("Tab")
            if self.ask(f"document.activeElement.matches({json.dumps(selector)})"):
                return
        raise AssertionError(f"no way to {selector} by keyboard")


SEEN = """[...new Set([...document.querySelectorAll('section :is(tr, g)[data-arm]')]
  .filter(e => e.getClientRects().length)
  .map(e => `${e.dataset.arm}|${e.dataset.null || ''}`))]"""


@pytest.mark.browser
def test_arms_are_filtered_and_tables_fetched_by_keyboard(inputs, report, tmp_path):
    seen = Browsed(find_browser(), tmp_path / "profile", report.as_uri())
    try:
        names = list(inputs.arms)
        assert {name.split("|")[0] for name in seen.ask(SEEN)} == set(names)
        seen.tab_to(".filter summary")
        seen.press(" ", " ")
        seen.tab_to(f"#arm-{names.index('WD*C') + 1}")
        seen.press(" ", " ")
        assert set(seen.ask(SEEN)) == {"WD*C|", "W*D*C|WD*C"}
        assert seen.ask("getComputedStyle(document.querySelector('.filtered')).display") == "block"
        seen.tab_to(f"#arm-{names.index(NASTY) + 1}")
        seen.press(" ", " ")
        assert set(seen.ask(SEEN)) == {"WD*C|", "W*D*C|WD*C", f"{NASTY}|"}
        seen.tab_to(".filter button")
        seen.press("Enter", "\r")
        assert {name.split("|")[0] for name in seen.ask(SEEN)} == set(names)
        seen.tab_to("figure summary")
        seen.press("Enter", "\r")
        seen.tab_to("a[download$='.csv']")
        name = seen.ask("document.activeElement.download")
        seen.press("Enter", "\r")
        for _ in range(200):
            if (tmp_path / name).exists():
                break
            time.sleep(0.05)
        head, *rows = csv.reader(io.StringIO((tmp_path / name).read_text(encoding="utf-8")))
        assert head[:2] == ["arm", "recipe"]
        assert {row[0] for row in rows} == set(names)
    finally:
        seen.close()


@pytest.mark.browser
def test_tasks_are_filtered(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(render(with_other("task", "go_no_go")), encoding="utf-8")
    shown = """[...new Set([...document.querySelectorAll('[data-task]')]
      .filter(e => e.getClientRects().length).map(e => e.dataset.task))]"""
    seen = Browsed(find_browser(), tmp_path / "profile", page.as_uri())
    try:
        assert set(seen.ask(shown)) == {"maze", "go_no_go"}
        seen.tab_to(".filter summary")
        seen.press(" ", " ")
        seen.tab_to("#task-2")
        seen.press(" ", " ")
        assert seen.ask(shown) == ["go_no_go"]
        assert seen.ask("getComputedStyle(document.querySelector('.filtered')).display") == "block"
        seen.press(" ", " ")
        assert set(seen.ask(shown)) == {"maze", "go_no_go"}
    finally:
        seen.close()
