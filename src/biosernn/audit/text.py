"""The audit on a terminal."""

from biosernn.audit.audit import Audit

SENTENCES = {
    "ok": "this cohort may be trusted",
    "caution": "this cohort may be used within the limits that the cautions set",
    "fail": "a study on this cohort says nothing",
    "not known": "nothing can be told of this cohort",
}


def lines(audit: Audit) -> list[str]:
    """Write one line a check: its verdict, its name, what was measured and what that means.

    Examples
    --------
    >>> from biosernn.audit.check import Check
    >>> lines(Audit((Check("animals", "caution", 1, "mouse", "", "It is one animal."),)))
    ['caution    animals: 1 mouse. It is one animal.']

    """
    return [
        f"{check.verdict:10} {check.name}: {check.measured}. {check.meaning}"
        for check in audit.checks
    ]


def summary(audit: Audit) -> str:
    """Put the verdict on the whole into one sentence.

    Examples
    --------
    >>> summary(Audit(()))
    Traceback (most recent call last):
    ValueError: ...
    >>> from biosernn.audit.check import Check
    >>> summary(Audit((Check("animals", "caution", 1, "mouse", "", "It is one animal."),)))
    'caution: this cohort may be used within the limits that the cautions set (1 caution)'

    """
    counted = ", ".join(f"{n} {verdict}" for verdict, n in audit.counts.items() if n)
    return f"{audit.verdict}: {SENTENCES[audit.verdict]} ({counted})"
