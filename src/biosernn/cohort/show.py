"""What a cohort holds, in numbers."""

from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy.spatial.distance import pdist

from biosernn.cohort.cohort import Cohort
from biosernn.cohort.wiring import Wiring


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
    autapses = cohort.neurons.get("n_autapses")
    return {
        "n_neurons": n,
        "n_edges": None if wiring is None else len(wiring.pre),
        "n_synapses": None if wiring is None else int(wiring.n_syn.sum()),
        "n_autapses": None if autapses is None else int(autapses.sum()),
        "density": None if wiring is None else len(wiring.pre) / (n * (n - 1)),
        "median_distance_connected_um": None
        if wiring is None
        else _median_distance(cohort.positions_um, wiring),
        "median_distance_all_um": float(
            np.median(pdist(cohort.positions_um), overwrite_input=True)
        ),
        "corr": None if cohort.corr is None else _spread(cohort.corr),
        "sttc": None if cohort.sttc is None else _spread(cohort.sttc),
        "n_spikes": None if cohort.spikes is None else sum(map(len, cohort.spikes)),
        "duration_s": None if interval is None else interval[1] - interval[0],
        "content_sha256": cohort.content_sha256,
        "source": cohort.provenance,
        "missing": list(cohort.missing),
    }


def _median_distance(positions_um: Float64[np.ndarray, "n 3"], wiring: Wiring) -> float | None:
    if not len(wiring.pre):
        return None
    steps = positions_um[wiring.pre] - positions_um[wiring.post]
    return float(np.median(np.linalg.norm(steps, axis=1)))


def _spread(matrix: Float64[np.ndarray, "n n"]) -> dict[str, float]:
    values = matrix[np.tri(len(matrix), k=-1, dtype=bool)]
    return {"mean": float(values.mean()), "min": float(values.min()), "max": float(values.max())}
