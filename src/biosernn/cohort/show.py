"""What a cohort holds, in numbers."""

from typing import Any

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from biosernn.cohort.cohort import Cohort


def show(cohort: Cohort) -> dict[str, Any]:
    """Summarise a cohort as plain numbers, names and tables that JSON can hold.

    Parameters
    ----------
    cohort
        The cohort.

    Returns
    -------
    dict
        `n_edges`, `n_synapses` and `density` count directed connections between different
        neurons, `median_distance_connected_um` is taken over them, `median_distance_all_um` and
        the mean, least and greatest `corr` and `sttc` over all pairs of different neurons. What is
        not known is None, and named in `missing`; `source` is the cohort's provenance.

    Examples
    --------
    >>> from biosernn.cohort.checks import COLUMNS
    >>> from biosernn.cohort.wiring import Wiring
    >>> summary = show(
    ...     Cohort(
    ...         neurons={name: [1, 2] for name in COLUMNS},
    ...         positions_um=[[0, 0, 0], [30, 0, 40]],
    ...         wiring=Wiring(pre=[0], post=[1], n_syn=[3]),
    ...     )
    ... )
    >>> summary["n_synapses"], summary["density"], summary["median_distance_connected_um"]
    (3, 0.5, 50.0)
    >>> summary["corr"] is None
    True

    """
    n, wiring, interval = cohort.n_neurons, cohort.wiring, cohort.interval_s
    pairs = np.tril_indices(n, -1)
    autapses = cohort.neurons.get("n_autapses")
    return {
        "n_neurons": n,
        "n_edges": None if wiring is None else len(wiring.pre),
        "n_synapses": None if wiring is None else int(wiring.n_syn.sum()),
        "n_autapses": None if autapses is None else int(autapses.sum()),
        "density": None if wiring is None else len(wiring.pre) / (n * (n - 1)),
        "median_distance_connected_um": None
        if wiring is None
        else _median_distance(cohort.positions_um, wiring.pre, wiring.post),
        "median_distance_all_um": _median_distance(cohort.positions_um, *pairs),
        "corr": None if cohort.corr is None else _spread(cohort.corr[pairs]),
        "sttc": None if cohort.sttc is None else _spread(cohort.sttc[pairs]),
        "n_spikes": None if cohort.spikes is None else sum(map(len, cohort.spikes)),
        "duration_s": None if interval is None else interval[1] - interval[0],
        "content_sha256": cohort.content_sha256,
        "source": cohort.provenance,
        "missing": list(cohort.missing),
    }


def _median_distance(
    positions_um: Float64[np.ndarray, "n 3"], one: NDArray[np.int64], other: NDArray[np.int64]
) -> float | None:
    if not len(one):
        return None
    return float(np.median(np.linalg.norm(positions_um[one] - positions_um[other], axis=1)))


def _spread(values: Float64[np.ndarray, " pairs"]) -> dict[str, float]:
    return {"mean": float(values.mean()), "min": float(values.min()), "max": float(values.max())}
