"""Where what is fetched is kept."""

import os
from pathlib import Path

CACHE_VARIABLE = "BIOSERNN_CACHE"


def cache_folder() -> Path:
    """The folder that the environment variable BIOSERNN_CACHE names, else the user's own cache.

    Examples
    --------
    >>> isinstance(cache_folder(), Path)
    True

    """
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named).expanduser()
    import pooch

    return Path(pooch.os_cache("biosernn"))
