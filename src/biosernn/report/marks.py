"""What means the same in every figure: a recipe's mark, and what a task yields without memory."""

from typing import Any

from biosernn.report.style import PAPER
from biosernn.tasks.registry import TASKS

PAPER_GAP = (0.625, 1.0)
"""The seed study's 37 %, most likely: a network without memory against one that solves the maze."""

MOST_RUNS = 100
"""Runs of an arm and recipe that a figure draws one by one."""


def dot(recipe: str, colour: str) -> dict[str, Any]:
    """Style of a recipe's dot: `seed` open, `clipped` filled, one's own a filled diamond."""
    return {
        "ls": "none",
        "marker": "o" if recipe in ("seed", "clipped") else "D",
        "mec": colour,
        "mew": 1.4,
        "mfc": PAPER if recipe == "seed" else colour,
        "ms": 8,
    }


def dashes(recipe: str) -> Any:
    """Line style of a recipe: `seed` dashed, `clipped` solid, one's own dotted."""
    return {"seed": (0, (3, 2)), "clipped": "-"}.get(recipe, (0, (1, 1.5)))


def memoryless(task: str) -> float | None:
    """Accuracy within reach of a network without memory in a task of the package, else None."""
    return TASKS[task]().memoryless if task in TASKS else None
