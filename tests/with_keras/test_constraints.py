"""Sign rules."""

import json

import numpy as np
import pytest
from back_end import keras

from biosernn.errors import BadInput
from biosernn.keras import Dale, NonNegative

SIGNS = np.array([1, -1, 0])


@pytest.mark.parametrize("gates", [1, 3, 4])
def test_a_row_keeps_one_sign(gates):
    kernel = np.random.default_rng(0).normal(size=(3, 3 * gates)).astype(np.float32)
    kept = keras.ops.convert_to_numpy(Dale(SIGNS)(kernel))
    for sign, before, after in zip(SIGNS, kernel, kept, strict=True):
        allowed = sign * before >= 0
        assert 0 < allowed.sum() <= 3 * gates
        np.testing.assert_array_equal(after[allowed], before[allowed])
        assert not after[~allowed].any()
    positive = keras.ops.convert_to_numpy(NonNegative()(kernel))
    np.testing.assert_array_equal(positive, np.maximum(kernel, 0))


@pytest.mark.parametrize("constraint", [Dale(SIGNS), NonNegative()])
def test_configuration_gives_the_same_constraint(constraint):
    text = json.dumps(keras.constraints.serialize(constraint))
    again = keras.constraints.deserialize(json.loads(text))
    assert type(again) is type(constraint)
    assert again.get_config() == constraint.get_config()


@pytest.mark.parametrize(
    "signs", [np.array([True, False]), np.array([1, 2]), np.array([0.5, 1]), np.eye(2), 1]
)
def test_other_signs_are_refused(signs):
    with pytest.raises(BadInput, match=r"signs: not one number .* np.where\(excitatory, 1, -1\)"):
        Dale(signs)


def test_another_number_of_units_is_refused():
    with pytest.raises(BadInput, match="recurrent kernel: 4 rows for 3 signs"):
        Dale(SIGNS)(np.ones((4, 4), np.float32))
