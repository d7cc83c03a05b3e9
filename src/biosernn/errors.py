"""The errors a user meets: one line that names the place, what is wrong there and the remedy."""

LONGEST = 400


class BadInput(ValueError):
    """Input that cannot be used: exit status 2.

    Parameters
    ----------
    where
        The file, the neuron or the field at fault.
    what
        What is wrong there.
    remedy
        What the user can do about it.

    Examples
    --------
    >>> print(BadInput("study.toml: seeds", "must be at least 2, got 1", "set seeds = 10"))
    study.toml: seeds: must be at least 2, got 1; set seeds = 10

    """

    def __init__(self, where: object, what: str, remedy: str) -> None:
        self.where, self.remedy = one_line(where), one_line(remedy)
        self.what = _short(one_line(what))
        super().__init__(f"{self.where}: {self.what}; {self.remedy}")

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (self.where, self.what, self.remedy)


class WorkFailed(RuntimeError):
    """Work that could not be finished although its input was sound: exit status 1.

    Examples
    --------
    >>> print(WorkFailed("out/quick", "no space left on the disk", "free some and run it again"))
    out/quick: no space left on the disk; free some and run it again

    """

    def __init__(self, where: object, what: str, remedy: str) -> None:
        self.where, self.remedy = one_line(where), one_line(remedy)
        self.what = _short(one_line(what))
        super().__init__(f"{self.where}: {self.what}; {self.remedy}")

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (self.where, self.what, self.remedy)


def one_line(text: object) -> str:
    r"""Escape whatever would break the line or drive a terminal.

    Examples
    --------
    >>> print(one_line("a\nb"))
    a\nb

    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(text))


def _short(text: str) -> str:
    """Leave out the middle of a value that somebody made too long to be read."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 :]}"
