"""Likeness of two similarity matrices with a third partialled out, against relabelled neurons."""

import numpy as np
from jaxtyping import Float

FEWEST_PAIRS = 10
ROUNDING = 1e-12


def partial_mantel(
    matrix: Float[np.ndarray, "n n"],
    other: Float[np.ndarray, "n n"],
    control: Float[np.ndarray, "n n"],
    rng: np.random.Generator,
    n_relabelled: int,
) -> tuple[float, float]:
    """Partial Pearson correlation of two symmetric matrices over pairs, and its p.

    A straight line on the control is taken out of both. The nulls relabel the neurons of `matrix`
    at random, rows and columns together, and take the line out anew.

    Parameters
    ----------
    matrix, other, control
        (N, N), symmetric; diagonals are not read.
    rng, n_relabelled
        The source of the nulls, and how many.

    Returns
    -------
    correlation, p
        p = (1 + nulls as large or larger) / (1 + nulls), one-sided. Both NaN where there are fewer
        than ten pairs, or a matrix does not vary beyond its line on the control.

    References
    ----------
    Smouse, Long & Sokal 1986, doi 10.2307/2413122; Legendre 2000,
    doi 10.1080/00949650008812035.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b, control = (x + x.T for x in rng.normal(size=(3, 20, 20)))
    >>> correlation, p = partial_mantel(a, a + b + control, control, rng, 99)
    >>> round(correlation, 1), p
    (0.7, 0.01)

    """
    n = len(matrix)
    undefined = float("nan"), float("nan")
    if n * (n - 1) / 2 < FEWEST_PAIRS:
        return undefined
    centred, line, rest = _centred(matrix), _centred(control), _centred(other)
    rest -= np.vdot(rest, line) * line
    length = np.linalg.norm(rest)
    if not (centred.any() and length > ROUNDING):
        return undefined
    rest /= length

    def partial(centred: Float[np.ndarray, "n n"]) -> float:
        left = 1 - np.vdot(centred, line) ** 2
        return float(np.vdot(centred, rest) / np.sqrt(left)) if left > ROUNDING else float("nan")

    correlation = partial(centred)
    if np.isnan(correlation):
        return undefined
    as_large = 0
    for _ in range(n_relabelled):
        order = rng.permutation(n)
        as_large += partial(centred[np.ix_(order, order)]) >= correlation - ROUNDING
    return correlation, (1 + as_large) / (1 + n_relabelled)


def _centred(matrix: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    """Off-diagonal entries less their mean, scaled to length 1 (0 where they are all the same)."""
    pairs = ~np.eye(len(matrix), dtype=bool)
    deviation = np.where(pairs, matrix - matrix[pairs].mean(), 0)
    if np.ptp(matrix[pairs]) <= ROUNDING * np.abs(matrix[pairs]).max():
        return np.zeros_like(deviation)
    return deviation / np.linalg.norm(deviation)
