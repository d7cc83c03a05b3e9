"""Go/no-go: remember through a delay which of two stimuli was shown."""

import numpy as np

from biosernn.tasks.task import Task


def go_no_go(
    fixation_steps: int = 5,
    stimulus_steps: int = 20,
    delay_steps: int = 10,
    decision_steps: int = 5,
) -> Task:
    """Build the no-go and the go trial as time series.

    Channel 0 (fixation) is on during fixation and delay, channel 1 (no-go) or 2 (go) during the
    stimulus; the decision period is silent. Without memory half the trials can be answered.

    Parameters
    ----------
    fixation_steps, stimulus_steps, delay_steps, decision_steps
        Lengths of the four segments, in steps.

    Returns
    -------
    Task
        Inputs (2, steps, 3), labels (2,): no-go, go; two outputs.

    References
    ----------
    Released code of arXiv 2606.14975, doi 10.5281/zenodo.20834365.

    Examples
    --------
    >>> task = go_no_go()
    >>> task.inputs.shape, task.labels.tolist()
    ((2, 40, 3), [0, 1])

    """
    lengths = [fixation_steps, stimulus_steps, delay_steps, decision_steps]
    fixation, stimulus, delay, _ = np.split(np.arange(sum(lengths)), np.cumsum(lengths)[:-1])
    inputs = np.zeros((2, sum(lengths), 3), np.float32)
    inputs[:, np.concatenate([fixation, delay]), 0] = 1
    for trial in range(2):
        inputs[trial, stimulus, 1 + trial] = 1
    return Task("go_no_go", inputs, np.arange(2, dtype=np.int32), n_outputs=2, memoryless=0.5)
