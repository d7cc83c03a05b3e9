"""What each departure of the released code accounts for: switched alone, and added up in order."""

from dataclasses import fields

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from biosernn.analysis.proportion import wilson
from biosernn.analysis.risk_difference import risk_difference
from biosernn.protocol import CORRECTED, PROTOCOLS, Protocol, protocol_named
from biosernn.report.composition import Arms, colour
from biosernn.report.style import (
    INK,
    LOOK,
    NARROW,
    QUIET,
    RULE,
    TEXT,
    WIDE,
    canvas,
    hover,
    legend,
    of_arm,
    panel,
    to_svg,
)
from biosernn.study.arms import Arm, read_arm
from biosernn.study.felt import felt_in_training

ORDERS = ("alone", "added up")
MARKERS = "os^Dv*Xp"
"""In turn, since arms of one kind share a colour."""

NAMES, TOP, LINE, GAP = 160, 66, 9, 12


def departure_values(results: pd.DataFrame, arms: Arms, *, rebinned: bool = True) -> pd.DataFrame:
    """Fraction solved and mean accuracy of every arm under every protocol of the two orders.

    Parameters
    ----------
    results
        One row a run.
    arms
        What each arm is made of.
    rebinned
        Whether the bins change the cohort's correlation.

    Returns
    -------
    Columns order, departure, protocol, arm, n_runs, solved with its Wilson interval, accuracy as
    each protocol defines it, and the fraction solved minus that of the corrected protocol, over
    n_pairs seeds with Newcombe's paired interval. Where the arm cannot feel the departure in
    training, the networks are the same ones (`same_networks`), and the difference is 0 for certain.
    Empty where the corrected protocol or what is switched alone is not there.

    """
    names = [field.name for field in fields(Protocol)]
    alone = [("corrected", "corrected"), *((name, f"corrected+{name}") for name in names)]
    summed = [("corrected", "corrected")]
    for number, name in enumerate(names, 1):
        last = number == len(names)
        summed.append((name, "published" if last else f"corrected+{'+'.join(names[:number])}"))
    there = set(results["protocol"])
    switched = there & {protocol for _, protocol in alone[1:]}
    if "corrected" not in there or len(switched) < 2:
        return pd.DataFrame()
    rows = []
    corrected = results[results["protocol"] == "corrected"]
    for order, steps in zip(ORDERS, (alone, summed), strict=True):
        for departure, protocol in steps:
            runs = results[results["protocol"] == protocol]
            for arm, of_arm_ in runs.groupby("arm", sort=False):
                solved = wilson(int(of_arm_["solved"].sum()), len(of_arm_))
                pairs = of_arm_.merge(corrected[corrected["arm"] == arm], on=["seed", "strength"])
                made = read_arm("arms", dict(arms[str(arm)]))
                same = _same_networks(made, protocol, set(of_arm_["strength"]), rebinned)
                change = (0.0,) * 3 if same else _change(pairs["solved_x"], pairs["solved_y"])
                rows.append(
                    {
                        "order": order,
                        "departure": departure,
                        "protocol": protocol,
                        "arm": arm,
                        "n_runs": len(of_arm_),
                        "solved": solved.estimate,
                        "solved_low": solved.low,
                        "solved_high": solved.high,
                        "accuracy": of_arm_["accuracy"].mean(),
                        "n_pairs": len(pairs),
                        "difference": change[0],
                        "difference_low": change[1],
                        "difference_high": change[2],
                        "same_networks": same,
                    }
                )
    return pd.DataFrame(rows)


def _same_networks(arm: Arm, protocol: str, strengths: set[float], rebinned: bool) -> bool:
    """Whether the arm's networks are those of the corrected protocol, trial for trial."""

    def felt_by(protocol: Protocol, strength: float) -> tuple[Arm, Protocol]:
        return felt_in_training(arm, protocol, strength, noisy_trials=False, rebinned=rebinned)

    departed = protocol_named(protocol)
    return all(felt_by(departed, one) == felt_by(CORRECTED, one) for one in strengths)


def _change(solved: pd.Series, before: pd.Series) -> tuple[float, float, float]:
    if solved.empty:
        return (float("nan"),) * 3
    found = risk_difference(solved, before)
    return found.estimate, found.low, found.high


@matplotlib.rc_context(LOOK)
def departures(values: pd.DataFrame, arms: Arms, *, narrow: bool = False) -> str:
    """Draw the fraction solved by every arm, a departure a row, both orders, as an `<svg>`.

    Parameters
    ----------
    values
        From `departure_values`.
    arms
        What each arm is made of.
    narrow
        Draw it for a phone: the orders one below the other.

    """
    names = list(dict.fromkeys(values["arm"]))
    row = LINE * len(names) + GAP
    heights = [row * values.loc[values["order"] == o, "departure"].nunique() for o in ORDERS]
    width = NARROW if narrow else WIDE
    height = sum(heights) + 2 * TOP + 60 if narrow else max(heights) + TOP + 60
    figure, sheet = canvas(width, height)
    entries = [
        ({"color": colour(name, arms), "lw": 0, "ms": 6, "marker": MARKERS[n % len(MARKERS)]}, name)
        for n, name in enumerate(names)
    ]
    legend(sheet, 4, 12, width, entries)
    top, told = TOP, []
    for number, (order, tall) in enumerate(zip(ORDERS, heights, strict=True)):
        rows = values[values["order"] == order]
        left = 0.0 if narrow else number * (width / 2 + 6)
        room = (width if narrow else width / 2 - 6) - NAMES - 14
        sheet.text(left + 4, top - 16, f"Departures {order}", weight="bold", fontsize=TEXT)
        axes = panel(figure, left + NAMES, top, room, tall)
        _draw(axes, rows, names, arms, row, order, narrow=narrow)
        last = rows[rows["departure"] == rows["departure"].iloc[-1]]
        told += [f"{order}, {r.arm} {r.solved:.2f} at the last" for r in last.itertuples()]
        top += tall + 60 if narrow else 0
    return to_svg(
        figure, f"departures {narrow}", f"Fraction solved under each departure: {'; '.join(told)}."
    )


def _draw(
    axes: Axes,
    rows: pd.DataFrame,
    names: list[str],
    arms: Arms,
    row: float,
    order: str,
    *,
    narrow: bool,
) -> None:
    steps = list(dict.fromkeys(rows["departure"]))
    axes.set(xlim=(0, 1), ylim=(row * len(steps), 0), xlabel="fraction of runs solved")
    plus = "+ " if order == "added up" else ""
    labels = [s if s in PROTOCOLS else plus + s.replace("_", " ") for s in steps]
    axes.set_yticks([row * (k + 0.5) for k in range(len(steps))], labels)
    axes.tick_params(axis="y", length=0)
    for k in range(len(steps)):
        axes.axhline(row * k, color=RULE, lw=0.8)
    axes.axhline(row, color=QUIET, lw=0.8)
    for position, name in enumerate(names):
        tint = colour(name, arms)
        with of_arm(axes, name):
            of_name = rows[rows["arm"] == name]
            numbers = of_name[["solved", "solved_low", "solved_high", "n_runs"]].to_numpy(float)
            for departure, same, (solved, low, high, n_runs) in zip(
                of_name["departure"], of_name["same_networks"], numbers, strict=True
            ):
                hollow = same and departure != steps[0]
                y = row * steps.index(departure) + GAP / 2 + LINE * (position + 0.5)
                axes.plot([low, high], [y, y], color=tint, lw=1.2)
                fill, edge, line = ("white", tint, 0.8) if hollow else (tint, INK, 0.4)
                look = MARKERS[position % len(MARKERS)]
                axes.plot(solved, y, look, ms=5, mfc=fill, mec=edge, mew=line, clip_on=False)
                if not narrow:
                    words = f"{name}, {departure} {order}: {solved:.2f} of {n_runs:.0f} solved"
                    words += ", the same networks as corrected" if hollow else ""
                    hover(axes, solved, y, words)
    base = rows[rows["departure"] == steps[0]]
    for name, solved in zip(base["arm"], base["solved"], strict=True):
        axes.axvline(solved, color=colour(str(name), arms), lw=0.6, ls=(0, (1, 3)))
    axes.set_xticks(np.linspace(0, 1, 5), ["0", "", "0.5", "", "1"])
