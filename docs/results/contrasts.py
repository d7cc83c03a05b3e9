"""Contrasts of an arm with its null, and what was found of one over the fields."""

from collections import Counter
from collections.abc import Sequence

from biosernn.analysis.findings import Contrast
from biosernn.report.words import number, verdict_words
from docs.results.tables import Read


def over_fields(read: Read, arm: str, null: str, recipe: str, outcome: str) -> list[Contrast]:
    """One contrast of the corrected protocol in every field, by the first study that ran it."""
    asked = (arm, null, "maze", "corrected", recipe, outcome)
    by_field: dict[tuple[str, int | None], Contrast] = {}
    for study, _, analysis in read:
        for c in analysis.contrasts:
            if c.n and (c.arm, c.null, c.task, c.protocol, c.recipe, c.outcome) == asked:
                by_field.setdefault((c.cohort, study.units), c)
    return list(by_field.values())


def steps_found(contrasts: Sequence[Contrast]) -> str:
    """Least and most steps, and the verdicts; empty where there are none."""
    if not contrasts:
        return ""
    steps = [c.effect.estimate for c in contrasts]
    return f"{ends(steps, 1, sign=True)}: {verdicts(contrasts)}"


def ends(values: Sequence[float], digits: int, *, sign: bool = False) -> str:
    """The least and the most, once where they read alike."""
    return " to ".join(dict.fromkeys(number(end(values), digits, sign=sign) for end in (min, max)))


def verdicts(contrasts: Sequence[Contrast]) -> str:
    """Every verdict, and in how many."""
    words = Counter(map(verdict_words, contrasts))
    return ", ".join(f"{word} ({count} of {len(contrasts)})" for word, count in words.items())
