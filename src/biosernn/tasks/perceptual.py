"""Perceptual decision: which of two noisy channels is stronger on average."""

import numpy as np
from jaxtyping import Float, Int

from biosernn.tasks.task import Task

COHERENCES = (0.0, 6.4, 12.8, 25.6, 51.2)
"""In per cent."""

NOISE_SD = 0.1
"""Of each stimulus channel at each step of 100 ms."""

FIXATION, STIMULUS, DELAY = 1, 30, 10


CEILING = 0.89868
"""Accuracy of the ideal observer over all coherences, of whom the 0 % ones cannot be told."""


def perceptual() -> Task:
    """Build the ten noise-free trials, five coherences x two sides, and the noise of a drawn one.

    At coherence 0 neither side is right. The ideal observer answers Φ(d) of the others right,
    d = coherence √30 / (√2 0.1).

    Returns
    -------
    Task
        Inputs (10, 41, 3), labels (10,): the stronger channel; two outputs.

    References
    ----------
    Released code of arXiv 2606.14975, doi 10.5281/zenodo.20834365.

    Examples
    --------
    >>> task = perceptual()
    >>> task.inputs.shape, task.labels.tolist(), int(task.decidable.sum())
    ((10, 41, 3), [0, 1, 0, 1, 0, 1, 0, 1, 0, 1], 8)

    """
    means = mean_trials()
    noise = np.zeros(means.shape[2:], np.float32)
    noise[FIXATION : FIXATION + STIMULUS, 1:] = NOISE_SD
    return Task(
        "perceptual",
        means.reshape(-1, *means.shape[2:]),
        np.tile(np.arange(2, dtype=np.int32), len(COHERENCES)),
        n_outputs=2,
        memoryless=0.5,
        ceiling=CEILING,
        noise_sd=noise,
        decidable=np.repeat(np.array(COHERENCES) > 0, 2),
    )


def mean_trials() -> Float[np.ndarray, "coherences sides steps channels"]:
    """Build the noise-free trials: channel 0 is always on, channels 1 and 2 carry the stimulus.

    Returns
    -------
    (5, 2, 41, 3) float32; the stronger channel is side 0 or side 1.

    Examples
    --------
    >>> mean_trials()[-1, 0, 1].round(3).tolist()
    [1.0, 0.7559999823570251, 0.24400000274181366]

    """
    trials = np.zeros((len(COHERENCES), 2, FIXATION + STIMULUS + DELAY, 3), np.float32)
    trials[..., 0] = 1
    for c, coherence in enumerate(COHERENCES):
        for side in range(2):
            means = np.full(2, 0.5 - coherence / 200)
            means[side] = 0.5 + coherence / 200
            trials[c, side, FIXATION : FIXATION + STIMULUS, 1:] = means
    return trials


def draw_trials(
    n: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "n steps channels"], Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Draw trials in the reference's order: coherence, side, then the noise of every step.

    Returns
    -------
    trials, sides, coherences
        (n, 41, 3) float32; the right answer, (n,); the index in `COHERENCES`, (n,).

    References
    ----------
    Released code of arXiv 2606.14975, doi 10.5281/zenodo.20834365.

    Examples
    --------
    >>> trials, sides, coherences = draw_trials(2, np.random.default_rng(0))
    >>> trials.shape, sides.tolist(), coherences.tolist()
    ((2, 41, 3), [1, 0], [4, 4])

    """
    means = mean_trials().astype(np.float64)
    trials = np.empty((n, *means.shape[2:]), np.float32)
    sides, coherences = np.empty(n, np.int64), np.empty(n, np.int64)
    for k in range(n):
        coherences[k] = rng.integers(len(COHERENCES))
        sides[k] = rng.integers(2)
        trial = means[coherences[k], sides[k]].copy()
        trial[FIXATION : FIXATION + STIMULUS, 1:] += rng.normal(0, NOISE_SD, (STIMULUS, 2))
        trials[k] = trial
    return trials, sides, coherences
