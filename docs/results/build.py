"""Build the page of results and its figures from the tables of the study folders beside this file.

    python -m docs.results.build [FOLDER ...]

Each folder named is a finished study, whose tables are copied here first. No number on the page is
written by hand.
"""

import sys
from pathlib import Path

from docs.results.claim import of_the_claim
from docs.results.reproduced import published_tables
from docs.results.section import section
from docs.results.tables import HERE, at_the_published_strength, read, take


def page(folders: list[Path]) -> str:
    """Write every study's figures and return the page."""
    parts = [
        "# Results\n",
        "Studies that were run here, each by the command beside it. This page and its figures are "
        "built from the tables in `docs/results` by `make results`; nothing in it is typed by "
        "hand.\n",
    ]
    found = [read(folder) for folder in folders]
    grids = (f for f, (study, *_) in zip(folders, found, strict=True) if study.name == "grid")
    published = next(map(published_tables, grids), None)
    parts += of_the_claim([at_the_published_strength(*one) for one in found], published)
    for folder, (study, results, analysis) in zip(folders, found, strict=True):
        parts += section(folder, study, results, analysis)
    return "\n".join(parts)


def main() -> None:
    """Take the folders named, then build the page."""
    for folder in sys.argv[1:]:
        take(Path(folder), HERE)
    folders = [path.parent for path in HERE.glob("*/results.parquet")]
    folders.sort(key=lambda folder: (folder.name != "paper", folder.name))
    (HERE / "index.md").write_text(page(folders), encoding="utf-8")


if __name__ == "__main__":
    main()
