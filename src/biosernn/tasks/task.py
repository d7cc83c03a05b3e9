"""What a task is: its distinct trials, their labels and what a network without memory can reach."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Task:
    """A task whose trials are draws with replacement from a table of distinct inputs.

    Attributes
    ----------
    name
        The task's name in studies and tables.
    inputs
        Distinct trials, (trials, steps, channels) float32, without the network's input noise.
    labels
        The right output of each distinct trial, (trials,) int32.
    n_outputs
        How many answers there are.
    memoryless
        The accuracy that is within reach of a network that sees only the last segment.

    """

    name: str
    inputs: np.ndarray
    labels: np.ndarray
    n_outputs: int
    memoryless: float
