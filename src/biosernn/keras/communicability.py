"""Weighted communicability on whichever back end Keras runs."""

import math
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from biosernn.graphs.communicability import RELEASED_STRENGTH

Tensor = Any
"""A tensor of the back end."""


def absolute(weights: Tensor) -> Tensor:
    """|W| whose gradient is sign(W), 0 at 0 on every back end.

    Examples
    --------
    >>> ops.convert_to_numpy(absolute(ops.array([-2.0, 0.0, 3.0]))).tolist()
    [2.0, 0.0, 3.0]

    """
    return weights * ops.sign(weights)


def communicability_kernel(
    weights: Tensor, isolated: Literal["zero", "nan", "offset"] = "zero"
) -> Tensor:
    """Weighted communicability, differentiable in the weights.

    Parameters
    ----------
    weights
        (N, N), row = presynaptic; the dtype of the result is its own.
    isolated
        As in `biosernn.graphs.communicability.normalised_weights`.

    Returns
    -------
    (N, N) with a diagonal of 0.

    See Also
    --------
    biosernn.graphs.communicability.communicability_kernel : the same in the engine.

    References
    ----------
    Crofts & Higham 2009, doi 10.1098/rsif.2008.0484.

    Examples
    --------
    >>> kernel = communicability_kernel(ops.array([[0.0, 2.0], [2.0, 0.0]]))
    >>> ops.convert_to_numpy(kernel).round(4)
    array([[0.    , 1.1752],
           [1.1752, 0.    ]], dtype=float32)

    """
    connectivity = absolute(weights)
    strengths = ops.sum(connectivity, axis=1)
    double = keras.backend.standardize_dtype(weights.dtype) == "float64"
    if isolated == "zero":
        # Below the root of the least normal number the gradient's s^-3/2 would overflow.
        linked = strengths > float(np.finfo(np.float64 if double else np.float32).tiny) ** 0.5
        safe = ops.where(linked, strengths, ops.ones_like(strengths))
        inverse_root = ops.where(linked, 1 / ops.sqrt(safe), ops.zeros_like(strengths))
    elif isolated == "offset":
        inverse_root = 1 / ops.sqrt(strengths + RELEASED_STRENGTH)
    else:
        inverse_root = 1 / ops.sqrt(strengths)
    normalised = connectivity * inverse_root[:, None] * inverse_root
    exponential = taylor_exponential(normalised, 20 if double else 12)
    return ops.where(ops.eye(weights.shape[0]) > 0, ops.zeros_like(exponential), exponential)


def taylor_exponential(matrix: Tensor, degree: int) -> Tensor:
    """Matrix exponential by a Taylor polynomial of fixed degree.

    The polynomial and scheme of `biosernn.graphs.exponential.taylor_exponential`, which says where
    it is exact to rounding. Products have the precision that the back end gives them: on a GPU ask
    it for full float32.

    Parameters
    ----------
    matrix
        (N, N); the dtype of the result is its own.
    degree
        The polynomial's degree, at least 1.

    Returns
    -------
    (N, N), differentiable.

    References
    ----------
    Paterson & Stockmeyer 1973, doi 10.1137/0202007.

    Examples
    --------
    >>> nilpotent = ops.array([[0.0, 1.0], [0.0, 0.0]])
    >>> ops.convert_to_numpy(taylor_exponential(nilpotent, degree=12)).tolist()
    [[1.0, 1.0], [0.0, 1.0]]

    """
    block = min(range(1, degree + 1), key=lambda size: size + math.ceil(degree / size))
    powers = [ops.eye(matrix.shape[0], dtype=matrix.dtype), matrix]
    while len(powers) <= block:
        powers.append(ops.matmul(powers[-1], matrix))

    def taylor_terms(first: int, last: int) -> Tensor:
        terms = [powers[k - first] / float(math.factorial(k)) for k in range(first, last + 1)]
        return sum(terms[1:], start=terms[0])

    first = block * (math.ceil(degree / block) - 1)
    result = taylor_terms(first, degree)
    while first:
        first -= block
        result = ops.matmul(result, powers[block]) + taylor_terms(first, first + block - 1)
    return result
