"""What the recipe `tuned` was chosen from: steps to criterion along the learning rate."""

from typing import Any

import matplotlib
import numpy as np
import pandas as pd

from biosernn.report.composition import Arms, colour
from biosernn.report.marks import dashes, dot
from biosernn.report.setting import Setting
from biosernn.report.small_multiples import small_multiples
from biosernn.report.style import INK, LOOK, hover, to_svg

APART = 0.09
"""Between the dots of two clips, in powers of ten of the learning rate."""


def tuning_values(sweep: pd.DataFrame, lead: Setting) -> pd.DataFrame:
    """Means of the runs at every learning rate and clip, a row each, of the lead's sweep.

    Parameters
    ----------
    sweep
        The sweep's runs; a study without one has no rows.
    lead
        The cohort, task, protocol and strength.

    """
    if sweep.empty:
        return sweep
    place = ["cohort", "task", "protocol"]
    here = sweep[(sweep[place] == [lead.cohort, lead.task, lead.protocol]).all(axis=1)]
    if lead.strength is not None:
        alone = here.groupby("arm")["strength"].transform("nunique") == 1
        here = here[alone | (here["strength"] == lead.strength)]
    settings = here.groupby(["arm", "learning_rate", "clip"], sort=False)
    return settings.agg(
        n_runs=("run", "size"),
        mean_steps=("steps_to_criterion", "mean"),
        n_solved=("solved", "sum"),
        accuracy_mean=("accuracy", "mean"),
        chosen=("chosen", "all"),
    ).reset_index()


@matplotlib.rc_context(LOOK)
def tuning(lead: Setting, values: pd.DataFrame, arms: Arms, *, narrow: bool = False) -> str:
    """Draw mean steps to criterion along the learning rate, one panel per arm, as an `<svg>`.

    Parameters
    ----------
    lead
        The setting that was swept.
    values
        From `tuning_values`.
    arms
        What each arm is made of.
    narrow
        Draw it for a phone.

    """
    clips = sorted(values["clip"].unique(), reverse=True)
    recipes = {clip: "clipped" if np.isfinite(clip) else "seed" for clip in clips}
    entries: list[tuple[dict[str, Any], str]] = [
        (_style(recipe, INK), f"clipped at {clip:g}" if np.isfinite(clip) else "not clipped")
        for clip, recipe in recipes.items()
    ]
    ring: dict[str, Any] = {"ls": "none", "marker": "o", "ms": 11, "mfc": "none", "mec": INK}
    entries.append((ring, "chosen"))
    figure, panels = small_multiples(
        list(dict.fromkeys(values["arm"])),
        arms,
        entries,
        across="learning rate, log scale",
        up="mean steps to criterion",
        narrow=narrow,
    )
    rates = np.array(sorted(values["learning_rate"].unique()))
    words = [f"{rate:g}" if k % 2 == 0 or not narrow else "" for k, rate in enumerate(rates)]
    ends = np.log10(rates[[0, -1]]) + 0.12 * np.ptp(np.log10(rates)) * np.array([-1, 1])
    told = []
    for name, axes in panels.items():
        axes.set(xlim=ends, ylim=(0, 1.12 * values["mean_steps"].max()))
        axes.set_xticks(np.log10(rates), words)
        axes.locator_params(axis="y", nbins=3)
        for number, (clip, recipe) in enumerate(recipes.items()):
            rows = values[(values["arm"] == name) & (values["clip"] == clip)]
            rows = rows.sort_values("learning_rate")
            at = np.log10(rows["learning_rate"].to_numpy())
            at = at + APART * (number - (len(clips) - 1) / 2)
            axes.plot(at, rows["mean_steps"], clip_on=False, **_style(recipe, colour(name, arms)))
            chosen = rows["chosen"].to_numpy(bool)
            axes.plot(at[chosen], rows.loc[chosen, "mean_steps"], clip_on=False, **ring)
            bound = "not clipped" if recipe == "seed" else f"clipped at {clip:g}"
            said = [
                f"{name}, learning rate {row.learning_rate:g}, {bound}: mean steps "
                f"{row.mean_steps:.1f}, {row.n_solved} of {row.n_runs} runs solved, mean accuracy "
                f"{row.accuracy_mean:.3f}" + (", chosen" if row.chosen else "")
                for row in rows.itertuples()
            ]
            told += [f"{name} {row.learning_rate:g}, {bound}" for row in rows[chosen].itertuples()]
            if not narrow:
                hover(axes, at, rows["mean_steps"], said)
    label = (
        f"Mean steps to criterion against the learning rate ({lead.name}). Chosen: "
        f"{'; '.join(told) or 'nothing yet'}."
    )
    return to_svg(figure, f"tuning {narrow}", label)


def _style(recipe: str, tint: str) -> dict[str, Any]:
    return dot(recipe, tint) | {"ls": dashes(recipe), "lw": 1.6, "ms": 6, "color": tint}
