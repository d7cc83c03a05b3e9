"""What every test shares: the place of the shared recordings, and quiet single-threaded arithmetic."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings and reference values beside the checkout."""
    if not (SHARED / "data").is_dir():
        pytest.skip("needs the recordings and reference values in ../shared")
    return SHARED
