"""The model of the documentation, as it stands there."""

import re
from pathlib import Path

import numpy as np
from back_end import keras

PAGE = Path(__file__).parents[2] / "docs/keras.md"


def test_the_model_of_the_documentation_solves_the_maze(tmp_path, monkeypatch):
    [example] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    _imports, model = example.split("\n\n")
    assert len(model.splitlines()) == 10
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(0)
    names = {}
    exec(example, names)
    assert names["hidden"].losses[0] > 0
    loaded = keras.models.load_model("maze.keras")
    answers = loaded.predict(names["task"].inputs, verbose=0).argmax(axis=1)
    np.testing.assert_array_equal(answers, names["task"].labels)
