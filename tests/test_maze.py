"""The maze against the reference's trials."""

import numpy as np

from biosernn.tasks.maze import maze


def test_trials_match_the_reference(shared):
    with np.load(shared / "oracle" / "tasks.npz", allow_pickle=False) as oracle:
        np.testing.assert_array_equal(maze().inputs, oracle["maze/inputs"])
        np.testing.assert_array_equal(maze().labels, oracle["maze/labels"].argmax(1))
        np.testing.assert_array_equal(maze(3, 2, 4).inputs, oracle["maze/inputs_3_2_4"])


def test_without_memory_five_of_eight_are_right():
    task = maze()
    last = [tuple(trial[-1]) for trial in task.inputs]
    best = 0
    for shown in set(last):
        labels = [label for label, seen in zip(task.labels, last, strict=True) if seen == shown]
        best += max(labels.count(label) for label in labels)
    assert task.memoryless == best / 8 == 0.625


def test_goal_and_moves_decide_the_answer():
    task = maze()
    shown = {tuple(trial[0]) + tuple(trial[-1]) for trial in task.inputs}
    assert len(shown) == len(task.labels)
