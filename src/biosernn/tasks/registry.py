"""Every task by its name."""

from collections.abc import Callable

from biosernn.tasks.maze import maze
from biosernn.tasks.task import Task

TASKS: dict[str, Callable[[], Task]] = {"maze": maze}
"""Tasks that a study can name; a further one is one line here."""
