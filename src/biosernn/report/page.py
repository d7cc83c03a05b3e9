"""The report: a study's evidence on one page that needs nothing beside it."""

from importlib.resources import files
from itertools import count

import jinja2
from markupsafe import Markup

from biosernn.report.first_screen import answer, facts, gap, notes
from biosernn.report.inputs import ReportInputs
from biosernn.report.kept import kept_table
from biosernn.report.methods import methods
from biosernn.report.plates import (
    Plate,
    cohort_plates,
    departure_plates,
    network_plates,
    setting_plates,
    strength_plates,
    tuning_plates,
)
from biosernn.report.references import REFERENCES
from biosernn.report.setting import settings
from biosernn.report.style import shared_styles
from biosernn.report.tables import (
    Table,
    arms_frame,
    arms_table,
    contrasts_frame,
    contrasts_table,
    download,
    overview_table,
    provenance_table,
    sessions_table,
    start_table,
    text_file,
)

__all__ = ["ReportInputs", "render"]

SETTINGS_DRAWN = 3
"""Settings that get figures; further ones, as of a study of every departure, only tables."""


def render(inputs: ReportInputs) -> str:
    """Write the report as HTML; the same inputs give the same bytes."""
    analysis, provenance = inputs.analysis, inputs.provenance
    found = settings(analysis, inputs.results, inputs.own_tasks)
    lead, drawn, arms = found[0], found[:SETTINGS_DRAWN], inputs.arms
    written = methods(inputs, found)
    units = str(provenance.get("units") or inputs.cohort.n_neurons)
    of_settings = [
        list(setting_plates(setting, inputs.curves, arms, inputs.weights, analysis))
        for setting in drawn
    ]
    template = (files("biosernn.report") / "page.html.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"drawn": Markup, "quoted": _quoted}
    numbers = count(1)
    page = environment.from_string(template).render(
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
        plates=_with_figures(
            ("The evidence", lead.task, of_settings[0]),
            ("The penalty’s strength", lead.task, list(strength_plates(analysis, lead, arms))),
            ("The tuned recipe", lead.task, list(tuning_plates(inputs.sweep, lead, arms))),
            (
                "The released code’s departures",
                lead.task,
                list(departure_plates(inputs.results, lead, arms, inputs.cohort)),
            ),
            (
                "The networks before and after training",
                lead.task,
                list(network_plates(lead, inputs.networks, arms)),
            ),
            (
                "The seed’s figures, from the data at hand",
                "",
                list(cohort_plates(lead, inputs.cohort, arms, units)),
            ),
            *(
                (f"Also run: {setting.name}", setting.task, plates)
                for setting, plates in zip(drawn[1:], of_settings[1:], strict=True)
            ),
        ),
        arms=list(arms),
        tasks=list(dict.fromkeys(setting.task for setting in found)),
        methods_text=written,
        methods_file=text_file("methods.txt", written),
        number=lambda: next(numbers),
        csv=download,
        tables=_named(
            ("overview", [overview_table(found)] if len(found) > 1 else []),
            ("contrasts", [contrasts_table(setting) for setting in found]),
            ("sessions", [sessions_table(analysis.pooled)] if analysis.pooled else []),
            ("arms", [arms_table(setting) for setting in found]),
            ("kept", [kept_table(setting) for setting in found]),
            ("start", [start_table(lead, inputs.arms)]),
        ),
        tables_only=[setting.name for setting in found[SETTINGS_DRAWN:]],
        provenance=provenance_table(provenance),
        command=provenance.get("command") or "biosernn run study.toml --out again",
        downloads=[
            download("results.csv", inputs.results),
            download("arms.csv", arms_frame(analysis)),
            download("contrasts.csv", contrasts_frame(analysis)),
        ],
        references=REFERENCES.values(),
    )
    page, sheet = shared_styles(page)
    return page.replace("</style>", f"{sheet}\n</style>", 1)


def _named(*groups: tuple[str, list[Table]]) -> list[tuple[str, Table]]:
    """Every table with the name of its file, numbered in its group."""
    return [
        (f"table-{name}-{number}.csv", table)
        for name, tables in groups
        for number, table in enumerate(tables, 1)
    ]


def _with_figures(*parts: tuple[str, str, list[Plate]]) -> list[tuple[str, str, list[Plate]]]:
    """The parts of the page that have a figure: heading, task and figures of each."""
    return [part for part in parts if part[-1]]


def _quoted(text: str) -> Markup:
    """Write a text as a string of CSS, every sign but plain letters and digits by its number."""
    plain = (c if c.isascii() and c.isalnum() else f"\\{ord(c):x} " for c in text)
    return Markup('"' + "".join(plain) + '"')
