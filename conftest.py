"""What every test shares: the place of the recordings, and one thread of arithmetic."""

import os
from importlib.util import find_spec
from pathlib import Path

os.environ["NPROC"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["BIOSERNN_RELEASE_URL"] = "http://127.0.0.1:9/"  # nothing is fetched from outside

import pytest
from jaxtyping import install_import_hook

install_import_hook("biosernn.training", "beartype.beartype")

collect_ignore = [] if find_spec("keras") else ["src/biosernn/keras", "tests/with_keras"]

if find_spec("hypothesis"):
    from hypothesis import settings

    settings.register_profile("untimed", settings(), deadline=None)
    settings.load_profile("untimed")

SHARED = Path(__file__).resolve().parents[1] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings and reference values beside the checkout."""
    if not (SHARED / "data").is_dir():
        pytest.skip("needs the recordings and reference values in ../shared")
    return SHARED
