"""What a task is: its distinct trials, their labels and what a network without memory can reach."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

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

    @cached_property
    def content_sha256(self) -> str:
        """SHA-256 of its trials, labels, noise and which are decidable, whatever its name."""
        digest = hashlib.sha256()
        for array, dtype in (
            (self.inputs, "<f4"),
            (self.labels, "<i4"),
            (self.noise_sd, "<f4"),
            (self.decidable, "?"),
        ):
            if array is None:
                digest.update(b"none\n")
            else:
                digest.update(f"{dtype} {array.shape}\n".encode())
                digest.update(array.astype(dtype).tobytes())
        return digest.hexdigest()
