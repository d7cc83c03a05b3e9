"""Without Keras, or without its back end, importing the door says so in one line."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("absent", ["keras", "keras.ops"])
def test_absent_keras_is_one_line(absent):
    code = f"import sys; sys.modules[{absent!r}] = None; import biosernn.keras"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert line.startswith("biosernn.errors.BadInput: biosernn.keras: Keras 3 cannot be imported (")
    assert line.endswith("pip install 'biosernn[keras]', with KERAS_BACKEND=jax or tensorflow-cpu")
