"""What a reader sees first: the three answers, the gap to the plain network, and the n."""

from dataclasses import dataclass

import pandas as pd

from biosernn.analysis.findings import Analysis, Contrast
from biosernn.audit.animals import count_mice
from biosernn.cohort.cohort import Cohort
from biosernn.protocol import protocol_named
from biosernn.report.effect_strip import effect_strip
from biosernn.report.inputs import ReportInputs
from biosernn.report.setting import Setting
from biosernn.report.words import (
    ASKED,
    effect,
    effect_interval,
    number,
    p_value,
    verdict_colour,
    verdict_symbol,
    verdict_words,
)


@dataclass(frozen=True)
class Answer:
    """One row: what was asked, the effect against its named null, and the verdict."""

    question: str
    asked: str
    pair: str
    effect: str
    detail: str
    strip: str
    symbol: str
    colour: str
    verdict: str
    reason: str


@dataclass(frozen=True)
class Gap:
    """The gap to the plain network under one recipe."""

    recipe: str
    effect: str
    detail: str
    accuracy: str
    verdict: str
    symbol: str
    colour: str


def answer(contrast: Contrast) -> Answer:
    """Put one of the three questions into words."""
    tested = contrast.n > 0
    holm = contrast.p_holm is not None
    p = p_value(contrast.p if contrast.p_holm is None else contrast.p_holm)
    p = f"{'Holm ' if holm else ''}p {p if p.startswith('<') else '= ' + p}"
    return Answer(
        question=contrast.question.capitalize(),
        asked=ASKED.get(contrast.question, ""),
        pair=f"{contrast.arm} − {contrast.null}",
        effect=effect(contrast) if tested else "no runs",
        detail=f"{effect_interval(contrast)}, n = {contrast.n} pairs, {p}" if tested else "",
        strip=effect_strip(contrast) if tested else "",
        symbol=verdict_symbol(contrast.verdict),
        colour=verdict_colour(contrast.verdict),
        verdict=verdict_words(contrast),
        reason=contrast.reason,
    )


def gap(contrast: Contrast, lead: Setting) -> Gap:
    """Put the gap to the plain network under one recipe into words, in runs and in accuracy."""
    sides = [lead.summaries.get((arm, contrast.recipe)) for arm in (contrast.arm, contrast.null)]
    accuracy = ""
    if sides[0] is not None and sides[1] is not None:
        mean, plain = (side.accuracy.estimate for side in sides if side is not None)
        points = number(100 * (mean - plain), 1, sign=True)
        accuracy = f"accuracy {mean:.3f} against {plain:.3f}: {points} points"
    tested = contrast.n > 0
    return Gap(
        recipe=contrast.recipe,
        effect=effect(contrast) if tested else "not tested",
        detail=f"{effect_interval(contrast)}, n = {contrast.n} pairs"
        if tested
        else contrast.reason,
        accuracy=accuracy,
        verdict=verdict_words(contrast),
        symbol=verdict_symbol(contrast.verdict),
        colour=verdict_colour(contrast.verdict),
    )


def facts(inputs: ReportInputs) -> list[tuple[str, str]]:
    """Count what the study rests on."""
    results, provenance = inputs.results, inputs.provenance
    finished = int(provenance.get("finished", len(results)))
    diverged = int((results["status"] == "diverged").sum())
    fields = results["cohort"].nunique()
    units = provenance.get("units")
    animals = _animals(inputs.cohort)
    return [
        ("runs finished", f"{finished} of {provenance.get('planned', finished)}"),
        ("diverged", f"{diverged}"),
        ("seeds per arm", _seeds(inputs.analysis)),
        ("neurons", f"{inputs.cohort.n_neurons}"),
        ("units", f"{units}" if units else "all"),
        ("field" if fields == 1 else "fields", f"{fields}"),
        ("animal" if animals == "1" else "animals", animals),
    ]


def _seeds(analysis: Analysis) -> str:
    n = [summary.n for summary in analysis.arms]
    return " to ".join(dict.fromkeys((f"{min(n)}", f"{max(n)}")))


def _animals(cohort: Cohort) -> str:
    n_mice = count_mice(cohort)
    if n_mice is None:
        return "not known"
    return "0, synthetic" if cohort.provenance.get("kind") == "synthetic" else str(n_mice)


def notes(inputs: ReportInputs, lead: Setting) -> list[str]:
    """Sentences without which the first screen would mislead."""
    analysis, provenance = inputs.analysis, inputs.provenance
    found = [analysis.describes] if analysis.describes else []
    extended = dict.fromkeys(session["seeds"] for session in provenance.get("sessions") or [])
    if len(extended) > 1:
        seeds = " → ".join(map(str, extended))
        found.append(f"The study was extended: {seeds} seeds per arm.")
    missing = int(provenance.get("planned", 0)) - int(provenance.get("finished", 0))
    if missing > 0:
        found.append(f"{missing} of the planned runs are not finished and not counted here.")
    found += _diverged(inputs.results)
    found += _dominated(lead)
    found += misplaced(lead)
    if inputs.cohort.missing:
        lacking = ", ".join(inputs.cohort.missing)
        found.append(f"Cohort {inputs.cohort.name} lacks: {lacking}.")
    found += [f"{str(note).rstrip('.')}." for note in provenance.get("notes") or []]
    return list(dict.fromkeys(found))


def _diverged(results: pd.DataFrame) -> list[str]:
    counts = results.loc[results["status"] == "diverged", "arm"].value_counts(sort=False)
    if counts.empty:
        return []
    named = ", ".join(f"{arm} {count}" for arm, count in counts.items())
    return [f"Diverged runs count as failures: {named}."]


def _dominated(lead: Setting) -> list[str]:
    led = [
        f"{s.arm} under {s.recipe} ({s.n_penalty_dominates}/{s.n})"
        for s in lead.summaries.values()
        if s.n_penalty_dominates >= s.n / 4
    ]
    if not led:
        return []
    return [
        "In these runs the penalty’s gradient exceeds the data’s, so that they say little about "
        f"their start weights: {', '.join(led)}."
    ]


def misplaced(setting: Setting) -> list[str]:
    """Say where a protocol's positions or synapses are not those of their neurons."""
    protocol = protocol_named(setting.protocol)
    named = [
        words
        for words, so in (
            ("positions are scrambled", protocol.positions == "minmax_scrambled"),
            ("synapse counts are other neurons’", protocol.connectome_order == "file"),
        )
        if so
    ]
    if not named:
        return []
    return [
        f"Under protocol {setting.protocol} {' and '.join(named)}, as in the released code: what "
        "is asked there of geometry and wiring says nothing of the tissue’s."
    ]
