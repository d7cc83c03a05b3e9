"""The maze, a one-step inference: remember a goal, see two possible moves, answer the right one."""

import numpy as np

from biosernn.tasks.task import Task

GOALS = (7, 9, 17, 19)
MOVES = ("l", "u", "r", "d")
MAZES = (
    (9, "ul", "u"),
    (9, "rd", "r"),
    (19, "ld", "d"),
    (17, "rd", "d"),
    (17, "ul", "l"),
    (7, "ur", "u"),
    (19, "lr", "r"),
    (7, "lr", "l"),
)
"""Goal, possible moves and answer of each of the eight mazes."""


def maze(goal_steps: int = 20, delay_steps: int = 10, choice_steps: int = 20) -> Task:
    """Build the eight mazes as time series.

    The goal is shown first (channels 0 to 3, one-hot), then nothing, then the two possible moves
    (channels 4 to 7: left, up, right, down). Without memory of the goal five of the eight can be
    answered.

    Parameters
    ----------
    goal_steps, delay_steps, choice_steps
        Lengths of the three segments, in steps.

    Returns
    -------
    Task
        Inputs (8, steps, 8), labels (8,), four outputs.

    References
    ----------
    Achterberg et al. 2023, doi 10.1038/s42256-023-00748-9, as used by Shakiba, Rokni and Mohammadi.

    Examples
    --------
    >>> task = maze()
    >>> task.inputs.shape, task.labels.tolist()
    ((8, 50, 8), [1, 2, 3, 3, 0, 1, 2, 0])
    >>> task.inputs[0, 0].tolist(), task.inputs[0, -1].tolist()
    ([0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0])

    """
    steps = goal_steps + delay_steps + choice_steps
    inputs = np.zeros((len(MAZES), steps, len(GOALS) + len(MOVES)), np.float32)
    for trial, (goal, moves, _) in zip(inputs, MAZES, strict=True):
        trial[:goal_steps, GOALS.index(goal)] = 1
        for move in moves:
            trial[goal_steps + delay_steps :, len(GOALS) + MOVES.index(move)] = 1
    labels = np.array([MOVES.index(answer) for _, _, answer in MAZES], np.int32)
    return Task("maze", inputs, labels, n_outputs=len(MOVES), memoryless=_memoryless(labels))


def _memoryless(labels: np.ndarray) -> float:
    """Best accuracy of a fixed answer to each pair of moves."""
    answers: dict[str, list[int]] = {}
    for (_, moves, _), label in zip(MAZES, labels.tolist(), strict=True):
        answers.setdefault(moves, []).append(label)
    return sum(max(given.count(a) for a in given) for given in answers.values()) / len(MAZES)
