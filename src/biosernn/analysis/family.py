"""The questions, their named nulls, and the contrasts of the family fixed beforehand."""

from biosernn.study.primary import Primary

QUESTIONS = (
    ("activity", "W*D*C", "shuffled-in-bins"),
    ("geometry", "W*D*C", "positions-shuffled"),
    ("geometry", "WD*C", "WDC"),
    ("wiring", "wiring", "wiring-distance-rewired"),
    ("wiring", "wiring", "wiring-rewired"),
    ("self-timescales", "W*D*C", "diagonal-only"),
    ("self-timescales", "W*D*C", "constant-diagonal"),
    ("self-timescales", "W*D*C", "off-diagonal-rescaled"),
    ("scale", "W*D*C", "moment-matched"),
    ("spectrum", "W*D*C", "rotated"),
    ("plain", "W*D*C", "WD*C"),
    ("plain", "W*", "W0"),
)
"""Question, arm and null; a question's first row holds its one named null."""

HEADLINE = ("wiring", "geometry", "activity")


def question_of(primary: Primary) -> str:
    """Name the question that a primary's arm and null belong to; `primary` for a pair of one's own.

    Examples
    --------
    >>> question_of(Primary())
    'activity'

    """
    pair = (primary.arm, primary.null)
    return next((row[0] for row in QUESTIONS if row[1:] == pair), "primary")


def contrast_pairs(primary: Primary) -> tuple[tuple[str, str, str], ...]:
    """Every (question, arm, null) that a study is read for, the primary included.

    Examples
    --------
    >>> contrast_pairs(Primary()) == QUESTIONS
    True
    >>> contrast_pairs(Primary(arm="mine", null="W0"))[-1]
    ('primary', 'mine', 'W0')

    """
    own = (question_of(primary), primary.arm, primary.null)
    return QUESTIONS if own in QUESTIONS else (*QUESTIONS, own)


def named_pair(question: str) -> tuple[str, str]:
    """Arm and named null of one question.

    Examples
    --------
    >>> named_pair("geometry")
    ('W*D*C', 'positions-shuffled')

    """
    return next((arm, null) for asked, arm, null in QUESTIONS if asked == question)


def family(primary: Primary) -> frozenset[tuple[str, str]]:
    """Pairs (arm, null) that Holm's adjustment spans: wiring, geometry, activity, the primary.

    They count under the primary's outcome, recipe and protocol only; all else is exploratory.

    Examples
    --------
    >>> sorted(family(Primary()))
    [('W*D*C', 'positions-shuffled'), ('W*D*C', 'shuffled-in-bins'),
     ('wiring', 'wiring-distance-rewired')]

    """
    return frozenset({*map(named_pair, HEADLINE), (primary.arm, primary.null)})
