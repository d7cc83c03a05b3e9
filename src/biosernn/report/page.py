"""The report: a study's evidence on one page that needs nothing beside it."""

import os
import tempfile
from importlib.resources import files
from itertools import count
from pathlib import Path

import jinja2
from markupsafe import Markup

from biosernn.report.first_screen import answer, facts, gap, notes
from biosernn.report.inputs import ReportInputs
from biosernn.report.plates import cohort_plates, setting_plates
from biosernn.report.references import REFERENCES
from biosernn.report.setting import settings
from biosernn.report.tables import (
    arms_frame,
    arms_table,
    contrasts_frame,
    contrasts_table,
    download,
    overview_table,
    provenance_table,
    start_table,
)

__all__ = ["ReportInputs", "render", "write_report"]

SETTINGS_DRAWN = 3
"""Settings that get figures; further ones, as of a study of every departure, only tables."""


def write_report(path: Path, inputs: ReportInputs) -> None:
    """Write the report whole: under a temporary name first, then renamed.

    Parameters
    ----------
    path
        The file; what stands there is replaced.
    inputs
        The study.

    """
    page = render(inputs)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def render(inputs: ReportInputs) -> str:
    """Write the report as HTML; the same inputs give the same bytes."""
    analysis, provenance = inputs.analysis, inputs.provenance
    found = settings(analysis, inputs.results)
    lead, drawn = found[0], found[:SETTINGS_DRAWN]
    units = str(provenance.get("units") or inputs.cohort.n_neurons)
    of_settings = [
        list(setting_plates(setting, inputs.curves, inputs.arms, inputs.weights, analysis))
        for setting in drawn
    ]
    template = (files("biosernn.report") / "page.html.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["drawn"] = Markup
    numbers = count(1)
    return environment.from_string(template).render(
        analysis=analysis,
        answers=[answer(contrast) for contrast in analysis.headline],
        gaps=[gap(contrast, lead) for contrast in analysis.plain_gap],
        facts=facts(inputs),
        notes=notes(inputs, lead),
        audit_failures=provenance.get("audit_failures") or [],
        title=provenance.get("name") or "study",
        study_hash=provenance.get("study") or "unknown",
        cohort=inputs.cohort,
        units=units,
        settings=found,
        plates=[
            ("The evidence", of_settings[0]),
            (
                "The seed’s figures, from the data at hand",
                list(cohort_plates(lead, inputs.cohort, inputs.arms, units)),
            ),
            *(
                (f"Also run: {setting.name}", plates)
                for setting, plates in zip(drawn[1:], of_settings[1:], strict=True)
            ),
        ],
        number=lambda: next(numbers),
        tables=[
            *([overview_table(found)] if len(found) > 1 else []),
            *(contrasts_table(setting) for setting in found),
            *(arms_table(setting) for setting in found),
            start_table(lead, inputs.arms),
        ],
        tables_only=[setting.name for setting in found[SETTINGS_DRAWN:]],
        provenance=provenance_table(provenance),
        command=provenance.get("command") or "biosernn run study.toml --out again",
        downloads=[
            download("results.csv", inputs.results),
            download("arms.csv", arms_frame(analysis)),
            download("contrasts.csv", contrasts_frame(analysis)),
        ],
        references=REFERENCES,
    )
