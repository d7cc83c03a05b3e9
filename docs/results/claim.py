"""What holds of the 37 per cent, and why, over all studies that were run here."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from biosernn.analysis.family import QUESTIONS
from biosernn.analysis.findings import Contrast
from biosernn.analysis.sign_flip import sign_flip_limits
from biosernn.protocol import RECIPES, TUNED
from biosernn.report.kept import LEVEL, TESTS
from biosernn.report.words import effect, effect_interval, number, verdict_words
from docs.results.answer import answer
from docs.results.contrasts import ends, over_fields, steps_found
from docs.results.gaps import CLAIMED, Gap, first, gaps
from docs.results.markdown import literal, markdown, signed
from docs.results.tables import BIO, PLAIN, Read, units

UNSEEN = {
    "accuracy_delay_20": "delay 20",
    "accuracy_delay_40": "delay 40",
    "accuracy_delay_80": "delay 80",
    "accuracy_noise_0.4": "noise 0.4",
}
"""What a trained network is tried on, of what it was not trained on."""

STEADY = (BIO, "shuffled-in-bins", "diagonal-only", PLAIN)
"""Arms whose steadiness after the criterion is shown."""

SELF_WEIGHTS = (
    BIO,
    "diagonal-only",
    "constant-diagonal",
    "off-diagonal",
    "off-diagonal-rescaled",
    "identity",
    PLAIN,
)
"""Arms that tell what the self-weights do."""

KEEPERS = (BIO, "shuffled-in-bins", "diagonal-only", "wiring", PLAIN, "W0")
"""Arms of which is shown what they keep of the recording and the wiring.

The last two start from no data, and the third from none of any pair: they are the yardstick.
"""

KEPT = {"functional_kept_end": "functional matrix", "weights_wiring": "synapses"}
"""What may be kept, and its name."""

FEWEST_PAIRS = 6
"""Seeds below which there is no 95 % interval."""


def of_the_claim(read: Read, published: pd.DataFrame | None) -> list[str]:
    """What holds of the 37 per cent: in words, in every study of both networks, and why.

    Parameters
    ----------
    read
        The studies, each at one strength.
    published
        The follow-up's tables, where they are at hand.

    """
    found = gaps(read)
    if not found:
        return []
    holds = [_of(each) for each in zip(*(gap.holds for gap in first(found)), strict=True)]
    head = ["study", "n", BIO, PLAIN, "points of accuracy", "relative", "runs solved", "steps"]
    head.append("steps without the seed that moves them most")
    again = [_row(gap) for gap in found if gap.again]
    return [
        f"## What holds of the {CLAIMED:g} %\n",
        *answer(read, found, holds, published),
        "### Every study\n",
        "Accuracy as the protocol defines it, in points and relative to the plain network's; "
        "intervals are of 95 %, over n seeds on the same neurons, paired. Runs that several "
        "studies share are listed once. The last column leaves out the one seed without which the "
        "mean changes most, and names it: all recipes and fields share their seeds.\n",
        *markdown(head, [_row(gap) for gap in first(found)]),
        *_twice(read),
        *(markdown(head, again) if again else []),
        "### Every question\n",
        "Steps to criterion of an arm minus its null (fewer is better), least and most over "
        "the fields, and in how many of them what was found. Only what a study named beforehand "
        "is more than exploratory, and no adjustment is over the fields. They are no independent "
        "repetitions: those of MICrONS lie in one mouse, and a seed has the same trials, order, "
        "noise and lognormal draws in each, so nearly the same self-weights (W0, which starts from "
        f"no data and has no geometry, is even the same run).{_alike(read)}\n",
        *markdown(["question", "arm − null", *_recipes(read)], _causes(read)),
        *_of_the_self_weights(read),
        *_kept(read),
        *_beyond(read),
    ]


def _row(gap: Gap) -> list[str]:
    mean, seed = gap.runs["accuracy"].mean(), gap.leading_seed
    return [
        f"{gap.study.name}: {gap.cohort}, {units(gap.study)}, {gap.protocol}, {gap.recipe}",
        f"{len(gap.runs)}",
        *(f"{mean[arm]:.3f}" for arm in (BIO, PLAIN)),
        signed(*gap.points, digits=1),
        f"{number(100 * (mean[BIO] / mean[PLAIN] - 1), 1, sign=True)} %",
        *(_said(contrast) for contrast in (gap.solved, gap.steps)),
        f"{number(gap.steps_without(seed), 1, sign=True)} (seed {seed})",
    ]


def _recipes(read: Read) -> list[str]:
    """The recipes, the tuned one where it was run."""
    tuned = any((results["recipe"] == TUNED).any() for _, results, _ in read)
    return [*RECIPES, TUNED] if tuned else list(RECIPES)


def _twice(read: Read) -> list[str]:
    """How many runs that several studies have came out otherwise on another kind of device."""
    outcomes = ["steps_to_criterion", "solved"]
    by_run = pd.concat(results for _, results, _ in read).groupby(["arm", "run", "recipe"])
    shared = by_run.size() > 1
    differ = (by_run[outcomes].nunique() > 1)[shared]
    if not differ.to_numpy().any():
        return []
    steps, solved = differ.sum()
    by_arm = differ["solved"].groupby("arm").agg(["sum", "size"]).astype(int)
    of_arms = " and ".join(
        f"{by_arm.loc[arm, 'sum']} of {by_arm.loc[arm, 'size']} of {literal(arm)}"
        for arm in (BIO, PLAIN)
        if arm in by_arm.index
    )
    return [
        "The last bits of a run are others on another kind of processor or device: of "
        f"{shared.sum()} runs that several studies have, {steps} differ between them in steps and "
        f"{solved} in whether they solved{f', {of_arms}' if of_arms else ''}. Above stand the "
        "first study's; the same runs as others have them:\n"
    ]


def _of(found: Iterable[bool | None]) -> str:
    known = [holds for holds in found if holds is not None]
    return f"{sum(known)} of {len(known)}"


def _alike(read: Read) -> str:
    """How a seed's steps go together between fields, in one sentence."""
    by_field: dict[tuple[str, str], pd.Series] = {}
    for _, results, _ in read:
        chosen = results[(results["task"] == "maze") & (results["protocol"] == "corrected")]
        for place, runs in chosen[chosen["arm"] == BIO].groupby(["recipe", "cohort"], sort=False):
            by_field.setdefault(place, runs.set_index("seed")["steps_to_criterion"])
    told = []
    for recipe in _recipes(read):
        steps = pd.DataFrame({c: s for (r, c), s in by_field.items() if r == recipe})
        if len(steps.columns) > 1:
            means = steps.mean(axis=1)
            extreme = (means - means.mean()).abs().idxmax()
            told.append(
                f"{_between(steps)} under {recipe} ({_between(steps.drop(extreme))} without seed "
                f"{extreme})"
            )
    if not told:
        return ""
    return f" The steps of {literal(BIO)} correlate between fields, over seeds: {', '.join(told)}."


def _between(steps: pd.DataFrame) -> str:
    """Least and most correlation of two columns."""
    return ends(steps.corr().to_numpy()[np.triu_indices(len(steps.columns), 1)], 2)


def _of_the_self_weights(read: Read) -> list[str]:
    """What else the controls of the self-weights change, and what silencing slow units costs."""
    columns = ["spectral_radius", "silencing_slow_units", "silencing_random_units"]
    maze = [
        results[(results["task"] == "maze") & (results["protocol"] == "corrected")]
        for _, results, _ in read
        if set(columns) <= set(results.columns)
    ]
    if not maze:
        return []
    runs = pd.concat(maze).drop_duplicates(["run", "recipe"])
    runs = runs[runs["recipe"].isin(RECIPES)]
    arms = [arm for arm in SELF_WEIGHTS if arm in set(runs["arm"])]
    radius = runs.groupby("arm")["spectral_radius"].mean()
    reached = {
        (arm, recipe): f"{int(r['solved'].sum())}/{len(r)}, {r['steps_to_criterion'].mean():.0f}"
        for (arm, recipe), r in runs.groupby(["arm", "recipe"])
    }
    lost = runs[runs["solved"]].groupby("arm")[columns[1:]].median()
    return [
        "These controls change more than their names say, so none of them alone shows a cause. "
        "identity holds no data at all: each unit its own integrator. Over all runs of the fields: "
        "the spectral radius of the start weights (mean), runs solved and mean steps, and of the "
        "solved the accuracy lost when the trained network's slow units are silenced, and as many "
        "random ones (median).\n",
        *markdown(
            [
                "arm",
                "spectral radius",
                *(f"solved and steps, {recipe}" for recipe in RECIPES),
                "slow units silenced",
                "random units",
            ],
            [
                [
                    arm,
                    f"{radius[arm]:.2f}",
                    *(reached.get((arm, recipe), "–") for recipe in RECIPES),
                    *(number(lost[name].get(arm, float("nan")), 2) for name in columns[1:]),
                ]
                for arm in arms
            ],
        ),
    ]


def _kept(read: Read) -> list[str]:
    """Whether trained networks keep what was recorded and measured, in every field and recipe.

    Of the studies that ran an arm in the same place, the one that knows most tells of it.
    """
    names = [column for name in KEPT for column in (name, TESTS[name][0])]
    place = ["cohort", "recipe", "arm"]
    by_place: dict[tuple[str, ...], pd.DataFrame] = {}
    for _, results, _ in read:
        chosen = (results["task"] == "maze") & (results["protocol"] == "corrected")
        runs = results[chosen & results["arm"].isin(KEEPERS)]
        runs = runs.reindex(columns=runs.columns.union(names))
        for at, found in runs.groupby(place, sort=False):
            known = by_place.get(at, found[:0])[names].count().sum()
            if found[names].count().sum() > known:
                by_place[at] = found
    if not by_place:
        return []
    rows = []
    for (cohort, recipe, arm), found in by_place.items():
        cells = []
        for name in KEPT:
            p = TESTS[name][0]
            beyond, tested = int((found[p] <= LEVEL).sum()), int(found[p].notna().sum())
            cells += [number(found[name].mean(), 3), f"{beyond}/{tested}" if tested else "–"]
        rows.append([f"{cohort}, {recipe}", arm, *cells])
    head = [
        "field, recipe",
        "arm",
        *(word for name in KEPT.values() for word in (name, f"p ≤ {LEVEL}")),
    ]
    return [
        "Whether training keeps what was recorded: correlation of the trained units' activity with "
        "the neurons' recorded correlation, a straight line on distance taken out, and of the "
        "trained weights with the synapse counts (means over runs); and how many runs lie beyond "
        "relabelled units, or beyond wirings of the same degrees on average and nearly the same "
        "lengths. The yardstick are diagonal-only, which knows of no pair, and WD\\*C and W0, "
        "which hold no data: runs of a field share its neurons, so that the counts are not "
        "binomial, and what a straight line leaves of distance raises the first ones. With as "
        "few connections as lie among a run's neurons, that none lies beyond shows little. "
        "The last column is not known of studies that were run before that null was.\n",
        *markdown(head, rows),
    ]


def _beyond(read: Read) -> list[str]:
    """What else tells the two networks apart: after the criterion, and on unseen trials."""
    rows, shown = [], set()
    for _, results, _ in read:
        if not set(UNSEEN) <= set(results.columns):
            continue
        chosen = results[(results["task"] == "maze") & (results["protocol"] == "corrected")]
        for place, runs in chosen.groupby(["cohort", "recipe"], sort=False):
            by_arm = dict(tuple(runs.set_index("seed").groupby("arm")))
            if place in shown or not {BIO, PLAIN} <= set(by_arm):
                continue
            gaps = (by_arm[BIO][list(UNSEEN)] - by_arm[PLAIN][list(UNSEEN)]).dropna()
            if len(gaps) < FEWEST_PAIRS:
                continue
            shown.add(place)
            each = gaps.to_numpy(float).T
            intervals = zip(each.mean(axis=1), *sign_flip_limits(each, 0.95), strict=True)
            rows.append(
                [
                    ", ".join(map(str, place)),
                    f"{len(gaps)}",
                    *(_again(by_arm.get(arm)) for arm in STEADY),
                    *(signed(gap, low, high) for gap, low, high in intervals),
                ]
            )
    if not rows:
        return []
    head = ["field, recipe", "n", *(f"unsteady: {arm}" for arm in STEADY), *UNSEEN.values()]
    return [
        "Beyond the outcomes that were named, and so exploratory throughout. Unsteady: runs that "
        "were all right at a check and not at a later one. Then accuracy on trials of a kind that "
        f"was not trained, {literal(BIO)} minus {literal(PLAIN)} over n seeds with 95 % intervals, "
        "without runs that diverged; a network that never learned answers without memory at any "
        "delay, so that this mixes whether it learned with what it learned.\n",
        *markdown(head, rows),
    ]


def _again(runs: pd.DataFrame | None) -> str:
    return "–" if runs is None else f"{int(runs['collapsed'].sum())}/{len(runs)}"


def _causes(read: Read) -> list[list[str]]:
    """Every question that was asked, with what was found over the fields."""
    rows = []
    for question, arm, null in QUESTIONS:
        cells = [
            steps_found(over_fields(read, arm, null, recipe, "restricted_mean_steps"))
            for recipe in _recipes(read)
        ]
        if any(cells):
            rows.append([question, f"{arm} − {null}", *(cell or "–" for cell in cells)])
    return rows


def _said(contrast: Contrast) -> str:
    status = "" if contrast.in_family else ", exploratory"
    return f"{effect(contrast)} ({effect_interval(contrast)}): {verdict_words(contrast)}{status}"
