"""Neurons on a regular lattice."""

import numpy as np
from jaxtyping import Float

from biosernn.geometry.extents import principal_extents


def lattice(positions: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    """Lattice over a box with the cohort's principal extents, its N innermost points kept.

    Of all lattices whose spacing is nearly the same along the three axes, the coarsest one with
    at least N points is taken; the N points nearest its centre stay. A field of neurons is a
    sheet, and so is its lattice.

    Parameters
    ----------
    positions
        (N, 3), the cohort's, in any unit of length.

    Returns
    -------
    (N, 3) in the same unit, along the cohort's principal axes and about its centre, in the
    lattice's order (y slowest, then x, then z).

    Examples
    --------
    >>> lattice(np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]])).round(3)
    array([[-0.943,  0.   ,  0.   ],
           [ 0.   ,  0.   ,  0.   ],
           [ 0.943,  0.   ,  0.   ]])

    """
    extents = principal_extents(positions)
    counts = np.ones(3, int)
    while counts.prod() < len(positions):
        counts[np.argmax(extents / (counts + 0.5))] += 1
    points = (_points(counts) - (counts - 1) / 2) * (extents / counts)
    nearest = np.argsort(np.sum(points**2, axis=1), kind="stable")[: len(positions)]
    return points[np.sort(nearest)]


def integer_lattice(n: int) -> Float[np.ndarray, "n 3"]:
    """Lattice of spacing 1 with exactly N points, as in the released code.

    12 x 13 x 2 for 312 neurons, else the most cubic factorisation of N (the least sum of the
    three sides), the longest side first. Neuron k is the k-th point (y slowest, then x, then z).

    Parameters
    ----------
    n
        The number of neurons.

    Returns
    -------
    (N, 3), without unit.

    References
    ----------
    Released code of arXiv 2606.14975, doi 10.5281/zenodo.20834365.

    Examples
    --------
    >>> integer_lattice(4)
    array([[0., 0., 0.],
           [1., 0., 0.],
           [0., 1., 0.],
           [1., 1., 0.]])

    """
    return _points(np.array((12, 13, 2) if n == 312 else _most_cubic(n)))


def _points(counts: np.ndarray) -> np.ndarray:
    axes = [np.arange(count, dtype=float) for count in counts]
    return np.stack(np.meshgrid(*axes, indexing="xy"), axis=-1).reshape(-1, 3)


def _most_cubic(n: int) -> tuple[int, int, int]:
    divisors = [k for k in range(1, n + 1) if n % k == 0]
    return min(
        ((n // (b * c), b, c) for b in divisors for c in divisors if b >= c and n % (b * c) == 0),
        key=sum,
    )
