"""The browser that tests look at pages with."""

import shutil

import pytest


def find_browser() -> str:
    """Path of a Chromium; without one the test is skipped, which `.ci/run` installs it against."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if browser is None:
        pytest.skip("needs a Chromium")
    return browser
