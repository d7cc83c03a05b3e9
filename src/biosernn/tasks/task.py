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
    ceiling
        The accuracy that no network can exceed.
    noise_sd
        Standard deviation of the noise that belongs to each drawn trial, (steps, channels); None
        where the distinct trials are all there is.
    decidable
        Whether a distinct trial has a right answer, (trials,); None where all have.

    """

    name: str
    inputs: np.ndarray
    labels: np.ndarray
    n_outputs: int
    memoryless: float
    ceiling: float = 1.0
    noise_sd: np.ndarray | None = None
    decidable: np.ndarray | None = None
