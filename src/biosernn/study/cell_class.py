"""Which neurons of a cohort are excitatory and which inhibitory, by their cell types."""

import hashlib
from functools import lru_cache

import numpy as np
from jaxtyping import Int

from biosernn.cohort.cohort import Cohort

EXCITATORY = frozenset(
    ("23P", "4P", "5P-IT", "5P-ET", "5P-PT", "5P-NP", "6P-IT", "6P-CT", "6P-U", "excitatory")
)
INHIBITORY = frozenset(("BC", "BPC", "MC", "NGC", "inhibitory"))
"""Names of cell types as in MICrONS' `aibs_metamodel_celltypes_v661`, and the two words."""


@lru_cache(maxsize=32)
def cell_signs(cohort: Cohort) -> Int[np.ndarray, " n"] | None:
    """Sign of every neuron's outgoing weights by Dale's rule, 0 where its class is not known.

    Parameters
    ----------
    cohort
        Its neurons' column `cell_type` is read by the names that `cell_types` in its provenance
        gives the numbers.

    Returns
    -------
    (N,): 1 excitatory, -1 inhibitory, 0 of another type or of none; None where the class of no
    neuron is known.

    References
    ----------
    MICrONS Consortium 2025, doi 10.1038/s41586-025-08790-w.

    Examples
    --------
    >>> from biosernn.cohort.checks import COLUMNS
    >>> neurons = {name: [1, 2, 3] for name in COLUMNS} | {"cell_type": [2, 1, 0]}
    >>> named = {"cell_types": {"BC": 1, "23P": 2}}
    >>> cell_signs(Cohort(neurons, np.eye(3), provenance=named))
    array([ 1, -1,  0])

    """
    names = cohort.provenance.get("cell_types")
    if "cell_type" not in cohort.neurons or not isinstance(names, dict):
        return None
    signs = np.zeros(cohort.n_neurons, np.int64)
    for sign, types in ((1, EXCITATORY), (-1, INHIBITORY)):
        numbers = [names[name] for name in types & names.keys() if isinstance(names[name], int)]
        signs[np.isin(cohort.neurons["cell_type"], numbers)] = sign
    return signs if signs.any() else None


def cell_classes_sha256(cohort: Cohort) -> str:
    """Hash of which neurons are inhibitory, all that Dale's rule makes of their types.

    Examples
    --------
    >>> from biosernn.sources.synthetic import synthetic_cohort
    >>> cell_classes_sha256(synthetic_cohort(16, 0))
    'none'

    """
    signs = cell_signs(cohort)
    return "none" if signs is None else hashlib.sha256((signs < 0).tobytes()).hexdigest()
