"""Every task by its name."""

from collections.abc import Callable

from biosernn.tasks.go_no_go import go_no_go
from biosernn.tasks.maze import maze
from biosernn.tasks.perceptual import perceptual
from biosernn.tasks.task import Task

TASKS: dict[str, Callable[[], Task]] = {
    "maze": maze,
    "go_no_go": go_no_go,
    "perceptual": perceptual,
}
"""Tasks that a study can name; a further one is one line here."""
