"""The report's tables: what is printed, and what is offered to download."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, isnan

import pandas as pd

from biosernn.analysis.findings import Analysis, ArmSummary, Contrast, Pooled
from biosernn.report.composition import Arms, composition
from biosernn.report.setting import Setting
from biosernn.report.words import interval, number, p_value, verdict_symbol, verdict_words


@dataclass(frozen=True)
class Table:
    """A table in words.

    Attributes
    ----------
    caption, columns, rows
        Its heading, its column heads and its rows of text.
    arms
        For every row the arm it is of, and that arm's null where there is one; empty for a table
        that is not by arm.
    task
        The task it is of, or none.

    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    arms: tuple[tuple[str, ...], ...] = ()
    task: str = ""

    def as_frame(self) -> pd.DataFrame:
        """The table as it is printed."""
        return pd.DataFrame(self.rows, columns=list(self.columns))


@dataclass(frozen=True)
class Values:
    """The numbers behind a figure.

    Attributes
    ----------
    name
        What they are, for the name of their file.
    frame
        All of them, to download.
    shown
        Those that the page prints; by default all.

    """

    name: str
    frame: pd.DataFrame
    shown: pd.DataFrame | None = None

    def table(self, caption: str) -> Table:
        """What the page prints of them, numbers to four digits."""
        frame = self.frame if self.shown is None else self.shown
        rows = tuple(tuple(map(_cell, row)) for row in frame.itertuples(index=False, name=None))
        arms = tuple((str(arm),) for arm in frame["arm"]) if "arm" in frame else ()
        columns = tuple(str(column).replace("_", " ") for column in frame.columns)
        return Table(caption, columns, rows, arms)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}".replace("-", "−") if isfinite(value) else "–"
    return str(value)


@dataclass(frozen=True)
class Download:
    """A file inside the page: its name, its address and how much it holds."""

    name: str
    href: str
    size: str


def download(name: str, frame: pd.DataFrame) -> Download:
    """Put a table into a `data:` address as CSV, numbers to their last digit.

    Examples
    --------
    >>> download("a.csv", pd.DataFrame({"x": [0.1]})).href
    'data:text/csv;charset=utf-8;base64,eAowLjEK'

    """
    text = frame.to_csv(index=False, lineterminator="\n")
    return Download(name, _address("text/csv", text), f"{len(frame)} rows")


def text_file(name: str, text: str) -> Download:
    """Put a text into a `data:` address.

    Examples
    --------
    >>> text_file("a.txt", "two words").size
    '2 words'

    """
    return Download(name, _address("text/plain", text), f"{len(text.split())} words")


def _address(kind: str, text: str) -> str:
    return f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"


def arms_frame(analysis: Analysis) -> pd.DataFrame:
    """Every arm's summary, one row per cohort, task, protocol, recipe and arm."""
    return pd.DataFrame([_flat(summary) for summary in analysis.arms])


def contrasts_frame(analysis: Analysis) -> pd.DataFrame:
    """Every contrast, one row each."""
    return pd.DataFrame([_flat(contrast) for contrast in analysis.contrasts])


def _flat(record: ArmSummary | Contrast) -> dict[str, object]:
    row: dict[str, object] = {}
    for name, value in vars(record).items():
        row |= (
            {f"{name}_{part}": inner for part, inner in vars(value).items() if part != "n"}
            if hasattr(value, "estimate")
            else {name: value}
        )
    return row


def arms_table(setting: Setting) -> Table:
    """What every arm of a setting reached."""
    columns = (
        "Arm",
        "Recipe",
        "Solved",
        "95 % (Wilson)",
        "Accuracy",
        "95 % (t)",
        "≥ 0.95",
        "Mean steps",
        "95 % (bootstrap)",
        "Censored",
        "Collapsed",
        "Diverged",
        "Penalty leads",
    )
    rows = tuple(
        (
            arm,
            recipe,
            f"{s.n_solved}/{s.n}",
            interval(s.solved, 2),
            number(s.accuracy.estimate, 3),
            interval(s.accuracy, 3),
            number(s.solved_095, 2),
            number(s.mean_steps.estimate, 1),
            interval(s.mean_steps, 1),
            str(s.n_censored),
            str(s.n_collapsed),
            str(s.n_diverged),
            str(s.n_penalty_dominates),
        )
        for (arm, recipe), s in setting.summaries.items()
    )
    arms = tuple((arm,) for arm, _ in setting.summaries)
    return Table(f"Arms: {setting.name}", columns, rows, arms, setting.task)


def overview_table(settings: Sequence[Setting]) -> Table:
    """How many runs of every arm were solved, by setting and recipe."""
    arms = tuple(dict.fromkeys(arm for setting in settings for arm in setting.arms))
    rows = []
    for setting in settings:
        for recipe in setting.recipes:
            found = (setting.summaries.get((arm, recipe)) for arm in arms)
            cells = (f"{s.n_solved}/{s.n}" if s is not None else "–" for s in found)
            rows.append((setting.name, recipe, *cells))
    return Table("Runs solved in every setting", ("Setting", "Recipe", *arms), tuple(rows))


def start_table(setting: Setting, arms: Arms) -> Table:
    """What every arm of a setting starts from; spectra are medians over its runs."""
    columns = (
        "Arm",
        "Self-weights",
        "Off-diagonal",
        "Geometry",
        "Communicability",
        "λ used",
        "Spectral radius",
        "without self-weights",
        "Largest self-weight",
        "Eigenvalues > 0.8",
        "Radius, end",
    )
    spectra = (
        ("strength_used", 3),
        ("spectral_radius", 2),
        ("radius_without_diagonal", 2),
        ("largest_self_weight", 2),
        ("eigenvalues_above_0.8", 0),
        ("spectral_radius_end", 2),
    )
    rows = []
    for arm in setting.arms:
        made_of, fields = composition(arms.get(arm, {})), arms.get(arm, {})
        runs = setting.runs[setting.runs["arm"] == arm]
        rows.append(
            (
                arm,
                made_of.self_weights,
                made_of.off_diagonal,
                str(fields.get("geometry", "unknown")),
                str(fields.get("communicability", "unknown")),
                *(number(float(runs[name].median()), digits) for name, digits in spectra),
            )
        )
    arms_of_rows = tuple((arm,) for arm in setting.arms)
    caption = f"Start weights and penalty: {setting.name}"
    return Table(caption, columns, tuple(rows), arms_of_rows, setting.task)


def contrasts_table(setting: Setting) -> Table:
    """Every contrast of a setting with its two intervals, p and verdict."""
    columns = (
        "Question",
        "Arm − null",
        "Recipe",
        "Outcome",
        "n",
        "Effect",
        "95 % interval",
        "90 % interval",
        "Bound",
        "p",
        "Holm p",
        "r",
        "Status",
        "Verdict",
    )
    rows = []
    for c in setting.contrasts:
        steps = c.outcome == "restricted_mean_steps"
        digits = 1 if steps else 2
        status = "primary" if c.primary else "family" if c.in_family else "exploratory"
        reason = f" ({c.reason})" if c.reason else ""
        rows.append(
            (
                c.question,
                f"{c.arm} − {c.null}",
                c.recipe,
                "steps" if steps else "solved",
                str(c.n),
                number(c.effect.estimate, digits, sign=True),
                interval(c.effect, digits, sign=True),
                interval(c.equivalence, digits, sign=True),
                f"±{c.bound:g}",
                p_value(c.p),
                "–" if c.p_holm is None else p_value(c.p_holm),
                number(c.pair_correlation, 2),
                status,
                f"{verdict_symbol(c.verdict)} {verdict_words(c)}{reason}",
            )
        )
    pairs = tuple((c.arm, c.null) for c in setting.contrasts)
    return Table(f"Contrasts: {setting.name}", columns, tuple(rows), pairs, setting.task)


def sessions_table(pooled: Sequence[Pooled]) -> Table:
    """Contrasts over several cohorts, by cohort, by session and over sessions."""
    columns = (
        *("Task", "Protocol", "Recipe", "Question", "Arm − null", "Outcome"),
        *("By cohort", "By session", "Sessions", "Mean of sessions", "95 % interval"),
    )
    rows = []
    for p in pooled:
        digits = 1 if p.outcome == "restricted_mean_steps" else 2

        def listed(effects: Sequence[tuple[object, float]], digits: int = digits) -> str:
            return ", ".join(f"{of}: {number(e, digits, sign=True)}" for of, e in effects)

        reason = f" ({p.effect.method})" if isnan(p.effect.low) else ""
        rows.append(
            (
                p.task,
                p.protocol,
                p.recipe,
                p.question,
                f"{p.arm} − {p.null}",
                "steps" if p.outcome == "restricted_mean_steps" else "solved",
                listed(p.cohorts),
                listed(p.sessions),
                str(p.effect.n),
                number(p.effect.estimate, digits, sign=True),
                f"{interval(p.effect, digits, sign=True)}{reason}",
            )
        )
    pairs = tuple((p.arm, p.null) for p in pooled)
    return Table("Contrasts over cohorts, clustered by session", columns, tuple(rows), pairs)


def methods_used(contrasts: Sequence[Contrast]) -> str:
    """Names of the interval and test methods that a set of contrasts rests on."""
    names = dict.fromkeys(name for c in contrasts if c.n for name in (c.effect.method, c.p_method))
    return "; ".join(names)


def provenance_table(provenance: Mapping[str, object]) -> Table:
    """All that is known of how the study was made, but its notes, in words."""
    rows = tuple(
        (key.replace("_", " "), _in_words(value))
        for key, value in provenance.items()
        if key != "notes"
    )
    return Table("Provenance", ("Field", "Value"), rows)


def _in_words(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_in_words(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(map(_in_words, value)) or "none"
    return "unknown" if value is None else str(value)
