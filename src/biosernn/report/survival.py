"""Steps to criterion: Kaplan-Meier curves, and below each the runs they come from."""

from typing import Any

import matplotlib
import numpy as np

from biosernn.report.composition import Arms, colour
from biosernn.report.learning_curves import HOVERED
from biosernn.report.marks import dashes, dot
from biosernn.report.setting import Setting
from biosernn.report.small_multiples import small_multiples
from biosernn.report.style import INK, LOOK, QUIET, RULE, hover, to_svg


@matplotlib.rc_context(LOOK)
def survival(setting: Setting, arms: Arms, reference: str, *, narrow: bool = False) -> str:
    """Draw the share of runs yet to reach the criterion, one panel per arm, as an `<svg>`.

    Parameters
    ----------
    setting
        The arms, their runs and Kaplan-Meier curves.
    arms
        What each arm is made of.
    reference
        The arm whose curve is repeated in grey in every panel.
    narrow
        Draw it for a phone.

    """
    line = {"color": INK, "lw": 1.8}
    triangle: dict[str, Any]
    triangle = {"color": QUIET, "marker": ">", "ls": "none", "ms": 5}
    entries: list[tuple[dict[str, Any], str]]
    entries = [(line | {"ls": dashes(r)}, f"recipe {r}") for r in setting.recipes]
    entries += [(dot(r, INK) | {"ms": 4.5, "mew": 1}, f"a run, {r}") for r in setting.recipes]
    entries.append((triangle, "never reached it"))
    last = max(curve.steps[-1] for curve in setting.survival.values())
    behind = setting.survival.get((reference, setting.recipes[-1]))
    if behind is not None:
        shade = {"color": RULE, "lw": 3.5}
        entries.append((shade, f"{reference}, recipe {setting.recipes[-1]}"))
    figure, panels = small_multiples(
        setting.arms,
        arms,
        entries,
        across="training step",
        up="share of runs yet to reach the criterion",
        narrow=narrow,
    )
    floor = -0.16 * len(setting.recipes) - 0.06
    for name, axes in panels.items():
        axes.set(xlim=(0, last * 1.04), ylim=(floor, 1.04), yticks=(0, 0.5, 1))
        axes.set_xticks((0, last / 2, last))
        if behind is not None:
            axes.step(behind.steps, behind.not_yet, where="post", **shade)
        for index, recipe in enumerate(setting.recipes):
            if (name, recipe) not in setting.survival:
                continue
            curve, runs = setting.survival[name, recipe], setting.of(name, recipe)
            tint = colour(name, arms)
            style = {"color": tint, "lw": 1.8, "ls": dashes(recipe)}
            axes.step(curve.steps, curve.not_yet, where="post", **style)
            every = slice(None, None, -(-len(curve.steps) // HOVERED))
            steps, shares = curve.steps[every], curve.not_yet[every]
            if not narrow:
                said = [
                    f"{name}, recipe {recipe}, after step {step}: {share:.2f} of {curve.n} runs "
                    "yet to reach it"
                    for step, share in zip(steps, shares, strict=True)
                ]
                hover(axes, steps, shares, said)
            y = -0.14 - 0.16 * index
            reached = runs.loc[~runs["censored"].astype(bool), "steps_to_criterion"]
            at = np.unique(reached)
            axes.plot(at, np.full(len(at), y), **dot(recipe, tint) | {"ms": 4.5, "mew": 1})
            never = len(runs) - len(reached)
            if never:
                axes.plot([last], [y], clip_on=False, **triangle)
                axes.text(last * 0.965, y, f"{never}", ha="right", va="center", color=QUIET)
    means = ", ".join(
        f"{arm} under {recipe} {summary.mean_steps.estimate:.0f}"
        for (arm, recipe), summary in setting.summaries.items()
    )
    label = f"Steps to criterion ({setting.name}). Restricted mean steps: {means}."
    return to_svg(figure, f"survival {setting.name} {narrow}", label)
