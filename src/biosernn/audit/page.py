"""The audit as one page that needs nothing beside it."""

import platform
from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from biosernn._version import __version__
from biosernn.audit.audit import WORST_FIRST, Audit
from biosernn.audit.figures import drawings
from biosernn.audit.text import SENTENCES
from biosernn.cohort.cohort import Cohort
from biosernn.whole_file import check_place, whole_file


def write_audit(path: str | Path, audit: Audit, cohort: Cohort) -> None:
    """Write the page whole or not at all.

    Parameters
    ----------
    path
        The file; what stands there is replaced.
    audit
        What was found.
    cohort
        Of this cohort, which the figures are of.

    Raises
    ------
    BadInput
        If the path names a folder, or a file in a folder that does not exist.
    WorkFailed
        If the file cannot be written; what was there before is kept.

    """
    path = Path(path)
    check_place(path)
    with whole_file(path, "name another") as file:
        file.write(render(audit, cohort).encode())


def render(audit: Audit, cohort: Cohort) -> str:
    """Write the page as HTML; the same cohort gives the same bytes."""
    template = (files("biosernn.audit") / "page.html.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(template).render(
        audit=audit,
        cohort=cohort,
        sentence=SENTENCES[audit.verdict],
        checks=sorted(audit.checks, key=lambda check: WORST_FIRST.index(check.verdict)),
        drawings=[(drawing, Markup(drawing.svg)) for drawing in drawings(cohort)],
        origin=[
            ("neurons", cohort.n_neurons),
            ("missing parts", ", ".join(cohort.missing) or "none"),
            ("content sha256", cohort.content_sha256),
            *_flat(cohort.provenance),
            ("biosernn", __version__),
            *((name, version(name)) for name in ("numpy", "scipy", "matplotlib")),
            ("python", platform.python_version()),
        ],
    )


def _flat(entry: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in entry.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}: ")
        else:
            words = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            yield f"{above}{name}", words or "none"
