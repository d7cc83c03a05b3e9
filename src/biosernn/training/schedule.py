"""How long a run trains, and the number of the engine that its results belong to."""

from dataclasses import dataclass

ENGINE = 3
"""Raised whenever the numbers of a run change."""


@dataclass(frozen=True)
class Schedule:
    """How long and on how much a run trains.

    Attributes
    ----------
    epochs, batch
        Passes through the training trials, and trials a step.
    training_trials, heldout_trials
        Trials drawn for training; for validation and for test, each.
    curve_trials
        Held-out trials that the learning curves are read on where each has noise of its own.
    check_every
        Steps between two entries of the learning curves.
    noise
        Standard deviation of the Gaussian noise on every input value, in training only.

    """

    epochs: int = 10
    batch: int = 128
    training_trials: int = 5120
    heldout_trials: int = 2560
    curve_trials: int = 640
    check_every: int = 5
    noise: float = 0.05

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in one pass."""
        return self.training_trials // self.batch

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.epochs * self.steps_per_epoch
