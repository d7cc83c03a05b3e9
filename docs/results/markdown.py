"""What every part of the page of results is written with."""

import html
from collections.abc import Callable
from math import isnan
from pathlib import Path

import pandas as pd

from biosernn.report.tables import Table
from biosernn.report.words import number


def picture(folder: Path, name: str, alt: str, draw: Callable[..., str]) -> list[str]:
    """Write a figure for a page and for a phone."""
    for ending, narrow in (("", False), ("-narrow", True)):
        (folder / f"{name}{ending}.svg").write_text(draw(narrow=narrow), encoding="utf-8")
    source = f"{folder.name}/{name}"
    return [
        f'<picture><source media="(max-width: 600px)" srcset="{source}-narrow.svg">'
        f'<img src="{source}.svg" alt="{html.escape(alt)}"></picture>\n'
    ]


def folded(title: str, frame: pd.DataFrame) -> list[str]:
    """A table that opens when its title is clicked."""
    rows = frame.to_html(index=False, border=0)
    return [f"<details><summary>{html.escape(title)}</summary>\n{rows}\n</details>\n"]


def table(rows: Table) -> list[str]:
    """A report's table on the page."""
    return markdown(list(rows.columns), [list(row) for row in rows.rows])


def markdown(head: list[str], rows: list[list[str]]) -> list[str]:
    """A table, every cell as it is written."""
    cells = [head, ["---"] * len(head), *rows]
    lines = ("| " + " | ".join(map(literal, row)) + " |" for row in cells)
    return [*lines, ""]


def literal(text: str) -> str:
    """Text in which a star is a star."""
    return text.replace("*", r"\*")


def signed(gap: float, low: float, high: float, digits: int = 2) -> str:
    """A difference with its interval."""
    ends = " to ".join(number(end, digits, sign=True) for end in (low, high))
    return f"{number(gap, digits, sign=True)} ({'not estimable' if isnan(low) else ends})"
