"""The maze task: what the network is shown, and what it is to answer."""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from biosernn.report.style import (
    BLUE,
    INK,
    LOOK,
    NARROW,
    ORANGE,
    QUIET,
    RULE,
    TEXT,
    VERMILLION,
    WIDE,
    canvas,
    to_svg,
)
from biosernn.tasks.maze import GOALS, MAZES, MOVES, maze

WORDS = {"l": "left", "u": "up", "r": "right", "d": "down"}
STEP = {"l": (-1, 0), "u": (0, -1), "r": (1, 0), "d": (0, 1)}
CORNER = {7: (-1, -1), 9: (1, -1), 17: (-1, 1), 19: (1, 1)}
EXAMPLE = 0
CELL = 20


@matplotlib.rc_context(LOOK)
def task_diagram(*, narrow: bool = False) -> str:
    """Draw one trial of the maze and the eight mazes as an `<svg>`."""
    figure, sheet = canvas(*((NARROW, 632) if narrow else (WIDE, 300)))
    _trial(sheet, 108, 40, (NARROW if narrow else 430) - 116)
    left, top, columns, pitch = (4, 296, 2, 178) if narrow else (490, 14, 4, 118)
    sheet.text(left, top, "The eight mazes", va="center", weight="bold", fontsize=TEXT)
    for index, (goal, moves, answer) in enumerate(MAZES):
        row, column = divmod(index, columns)
        _maze(
            sheet,
            left + column * pitch,
            top + 18 + row * (76 if narrow else 124),
            goal,
            moves,
            answer,
            narrow,
        )
    label = (
        "Task diagram: the goal is shown for 20 steps, then nothing for 10, then two possible "
        "moves for 20; the network answers with the move towards the goal. Eight mazes: "
        + "; ".join(
            f"goal {goal}, {WORDS[moves[0]]} or {WORDS[moves[1]]}, answer {WORDS[answer]}"
            for goal, moves, answer in MAZES
        )
        + "."
    )
    return to_svg(figure, f"task {narrow}", label)


def _trial(sheet: Axes, left: float, top: float, width: float) -> None:
    inputs = maze().inputs[EXAMPLE]
    steps, channels = inputs.shape
    goal, moves, answer = MAZES[EXAMPLE]
    scale, row = width / steps, 20
    title = f"One trial: goal {goal}, {WORDS[moves[1]]} or {WORDS[moves[0]]}"
    sheet.text(4, 14, title, va="center", weight="bold", fontsize=TEXT)
    names = [f"goal {g}" for g in GOALS] + [f"may go {WORDS[m]}" for m in MOVES]
    for channel, name in enumerate(names):
        y = top + channel * row
        sheet.text(left - 8, y + row / 2, name, va="center", ha="right")
        sheet.plot([left, left + width], [y + row - 3] * 2, color=RULE, lw=0.8)
        on = np.flatnonzero(inputs[:, channel])
        if len(on):
            tint = ORANGE if channel < len(GOALS) else BLUE
            corner = (left + on[0] * scale, y + 4)
            sheet.add_patch(Rectangle(corner, len(on) * scale, row - 7, facecolor=tint, lw=0))
    bottom = top + channels * row
    for start, stop, word in ((0, 20, "goal"), (20, 30, "delay"), (30, 50, "choices")):
        x = left + (start + stop) / 2 * scale
        sheet.text(x, bottom + 28, word, va="center", ha="center")
        sheet.plot(
            [left + start * scale + 2, left + stop * scale - 2],
            [bottom + 18] * 2,
            color=INK,
            lw=1.6,
        )
        sheet.plot([left + stop * scale] * 2, [top, bottom + 6], color=RULE, lw=0.8, zorder=0)
    for step in (0, 20, 30, 50):
        sheet.text(
            left + step * scale, bottom + 10, f"{step}", va="center", ha="center", color=QUIET
        )
    sheet.text(
        left + width,
        bottom + 48,
        f"answer at step {steps}: {WORDS[answer]}",
        va="center",
        ha="right",
        weight="bold",
        color=VERMILLION,
    )
    sheet.text(4, bottom + 10, "step", va="center", color=QUIET)


def _maze(
    sheet: Axes, left: float, top: float, goal: int, moves: str, answer: str, narrow: bool
) -> None:
    """Draw the nine cells around the network's place, its goal and its two moves."""
    for row in range(3):
        for column in range(3):
            corner = (left + column * CELL, top + row * CELL)
            sheet.add_patch(Rectangle(corner, CELL, CELL, facecolor="none", edgecolor=RULE, lw=0.8))
    x, y = left + 1.5 * CELL, top + 1.5 * CELL
    across, down = CORNER[goal]
    sheet.plot(
        x + across * CELL, y + down * CELL, marker="*", ms=13, color=ORANGE, mec=INK, mew=0.6
    )
    for move in moves:
        right = move == answer
        dx, dy = STEP[move]
        arrow = {"arrowstyle": "-|>", "lw": 2.4 if right else 1.2, "shrinkA": 0, "shrinkB": 0}
        arrow["color"] = VERMILLION if right else QUIET
        sheet.annotate("", (x + dx * 27, y + dy * 27), (x + dx * 6, y + dy * 6), arrowprops=arrow)
    sheet.plot(x, y, marker="o", ms=7, color=INK)
    text_x, text_y = (left + 3 * CELL + 10, top + 14) if narrow else (left, top + 3 * CELL + 13)
    other = moves.replace(answer, "")
    sheet.text(text_x, text_y, f"goal {goal}", va="center")
    sheet.text(text_x, text_y + 16, f"or {WORDS[other]}", va="center", color=QUIET)
    sheet.text(
        text_x, text_y + 32, f"→ {WORDS[answer]}", va="center", weight="bold", color=VERMILLION
    )
