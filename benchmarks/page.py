"""The page and the plot that a benchmark leaves beside itself."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parent


def write_page(name: str, title: str, lines: Sequence[str], svg: str | None = None) -> None:
    """Write `name`.md, with `name`.svg in it where there is a plot, and print the page."""
    plot = [] if svg is None else [f"![{title}]({name}.svg)", ""]
    text = "\n".join([f"# {title}", "", *plot, *lines, "", MACHINE, ""])
    (FOLDER / f"{name}.md").write_text(text, encoding="utf-8")
    if svg is not None:
        (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")
    print(text, flush=True)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay out a table, its first column to the left and numbers to the right."""
    cells = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return ["| " + " | ".join(row) + " |" for row in cells]


def _machine() -> str:
    """Processor, and how busy it was before the benchmark began."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    load = os.getloadavg()[0]
    return f"On {os.cpu_count()} cores ({model}); load average at the start {load:.1f}."


MACHINE = _machine()
