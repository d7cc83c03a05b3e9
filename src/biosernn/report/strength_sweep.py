"""What the penalty's strength does: runs solved and steps to criterion along λ."""

from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import pandas as pd

from biosernn.analysis.findings import Analysis
from biosernn.report.composition import Arms, colour
from biosernn.report.marks import dashes, dot
from biosernn.report.setting import Setting
from biosernn.report.small_multiples import small_multiples
from biosernn.report.style import INK, LOOK, hover, to_svg


@dataclass(frozen=True)
class Outcome:
    """What is drawn along the strength: its column in the values, and its name."""

    column: str
    title: str
    top: float | None


STEPS = Outcome("mean_steps", "restricted mean steps to criterion", None)
SOLVED = Outcome("solved", "fraction solved", 1.0)


def sweep_values(analysis: Analysis, lead: Setting) -> pd.DataFrame:
    """Both outcomes at every strength, of arms with several under the lead's cohort and task."""
    place = lead.cohort, lead.task, lead.protocol
    found = [s for s in analysis.arms if (s.cohort, s.task, s.protocol) == place]
    rows = []
    for summary in found:
        row = {
            "arm": summary.arm,
            "recipe": summary.recipe,
            "strength": summary.strength,
            "n_runs": summary.n,
        }
        for outcome in (STEPS, SOLVED):
            value = getattr(summary, outcome.column)
            row |= {
                outcome.column: value.estimate,
                f"{outcome.column}_low": value.low,
                f"{outcome.column}_high": value.high,
            }
        rows.append(row)
    values = pd.DataFrame(rows)
    several = values.groupby("arm")["strength"].transform("nunique") > 1
    return values[several].sort_values("strength", kind="stable").reset_index(drop=True)


@matplotlib.rc_context(LOOK)
def strength_sweep(
    lead: Setting, values: pd.DataFrame, outcome: Outcome, arms: Arms, *, narrow: bool = False
) -> str:
    """Draw an outcome along the penalty's strength, one panel per arm, as an `<svg>`.

    Parameters
    ----------
    lead
        The cohort, task and protocol.
    values
        From `sweep_values`.
    outcome
        `STEPS` or `SOLVED`.
    arms
        What each arm is made of.
    narrow
        Draw it for a phone.

    """
    strengths = sorted(values["strength"].unique())
    entries: list[tuple[dict[str, Any], str]] = [
        (dot(r, INK) | {"ls": dashes(r), "lw": 1.6, "ms": 6, "color": INK}, f"recipe {r}")
        for r in lead.recipes
    ]
    figure, panels = small_multiples(
        list(dict.fromkeys(values["arm"])),
        arms,
        entries,
        across="strength λ of the penalty",
        up=outcome.title,
        narrow=narrow,
    )
    highest = float(np.nanmax(values[[outcome.column, f"{outcome.column}_high"]].to_numpy(float)))
    told = []
    for name, axes in panels.items():
        axes.set(xlim=(-0.4, len(strengths) - 0.6), ylim=(0, 1.06 * (outcome.top or highest)))
        axes.set_xticks(range(len(strengths)), [f"{strength:g}" for strength in strengths])
        axes.locator_params(axis="y", nbins=3)
        tint = colour(name, arms)
        for number, recipe in enumerate(lead.recipes):
            rows = values[(values["arm"] == name) & (values["recipe"] == recipe)]
            at = np.array([strengths.index(strength) for strength in rows["strength"]])
            at = at + 0.12 * (number - (len(lead.recipes) - 1) / 2)
            estimates = rows[outcome.column].to_numpy(float)
            style = dot(recipe, tint) | {"ls": dashes(recipe), "lw": 1.6, "ms": 6, "color": tint}
            axes.plot(at, estimates, clip_on=False, **style)
            ends = rows[[f"{outcome.column}_low", f"{outcome.column}_high"]].to_numpy(float)
            for x, value, (low, high), strength in zip(
                at, estimates, ends, rows["strength"], strict=True
            ):
                axes.plot([x, x], [low, high], color=tint, lw=1.2, clip_on=False)
                if not narrow:
                    there = f"{value:.3g} (95 % interval {low:.3g} to {high:.3g})"
                    words = f"{name}, recipe {recipe}, λ = {strength:g}: {outcome.title} {there}"
                    hover(axes, float(x), float(value), words)
            if len(estimates):
                told.append(f"{name} under {recipe} {estimates[0]:.3g} to {estimates[-1]:.3g}")
    label = (
        f"{outcome.title.capitalize()} against the penalty's strength, {strengths[0]:g} to "
        f"{strengths[-1]:g} ({lead.cohort}, {lead.task}, protocol {lead.protocol}): "
        f"{'; '.join(told)}."
    )
    return to_svg(figure, f"strength {outcome.column} {narrow}", label)
