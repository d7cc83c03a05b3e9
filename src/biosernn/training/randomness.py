"""Random draws by seed and purpose, so that the arms of one seed share everything they can."""

import jax
import numpy as np

PURPOSES = {
    "training trials": 0,
    "validation trials": 1,
    "test trials": 2,
    "order": 3,
    "noise": 4,
    "input weights": 5,
    "readout": 6,
    "lognormal": 7,
    "units": 8,
    "orthogonal": 9,
    "positions": 10,
    "weight shuffle": 11,
    "relabelling": 12,
    "rewiring": 13,
    "rotation": 14,
    "moment-matched": 15,
    "topology": 16,
    "end graphs": 17,
    "silencing": 18,
    "functional nulls": 19,
    "wiring nulls": 20,
    "input noise": 21,
}
"""Each purpose's number in the key; a number is never given to another purpose."""


def generator(seed: int, purpose: str) -> np.random.Generator:
    """NumPy generator of one seed and purpose.

    Examples
    --------
    >>> a, b = generator(0, "lognormal"), generator(0, "lognormal")
    >>> a.random() == b.random()
    True
    >>> generator(0, "units").random() == generator(0, "lognormal").random()
    False

    """
    return np.random.default_rng([seed, PURPOSES[purpose]])


def key(seed: int, purpose: str) -> jax.Array:
    """JAX key of one seed and purpose.

    Examples
    --------
    >>> bool(key(0, "noise") == key(0, "order"))
    False

    """
    return jax.random.fold_in(jax.random.key(seed), PURPOSES[purpose])
