"""Perceptual decision: which of two noisy channels is stronger on average."""

import numpy as np
from jaxtyping import Float, Int

COHERENCES = (0.0, 6.4, 12.8, 25.6, 51.2)
"""In per cent."""

NOISE_SD = 0.1
"""Of each stimulus channel at each step of 100 ms."""

FIXATION, STIMULUS, DELAY = 1, 30, 10


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
