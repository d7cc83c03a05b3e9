"""The order in which CPython iterates over a set of ids: the order of the released connectomes."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64
from numpy.typing import ArrayLike

from biosernn.cohort.cohort import Cohort
from biosernn.errors import BadInput

HASH_MODULUS = 2**61 - 1
LINEAR_PROBES = 9
PERTURB_SHIFT = 5
FREE = -1


def set_order(ids: Sequence[int]) -> list[int]:
    """Order ids as `list(set(ids))` does, without making a set.

    Sets are hash tables with open addressing. The rules are those of 64-bit CPython 3.7 to 3.13;
    the iteration order is an implementation detail of the interpreter, other ones differ.

    Parameters
    ----------
    ids
        Distinct, not negative, in the order in which they are added.

    Returns
    -------
    list of int
        Where in `ids` each id of the iteration stands.

    References
    ----------
    .. [1] CPython 3.11, Objects/setobject.c: set_add_entry, set_table_resize, set_insert_clean.

    Examples
    --------
    >>> ids = [864691135341360000, 864691135341360007, 8]
    >>> [ids[i] for i in set_order(ids)] == list(set(ids))
    True

    """
    hashes = [value % HASH_MODULUS for value in ids]
    slots = [FREE] * 8
    for index, hashed in enumerate(hashes):
        slots[_free_slot(slots, hashed)] = index
        used = index + 1
        if used * 5 >= (len(slots) - 1) * 3:
            size = 8
            while size <= used * (2 if used > 50_000 else 4):
                size *= 2
            entries = [entry for entry in slots if entry != FREE]
            slots = [FREE] * size
            for entry in entries:
                slots[_free_slot(slots, hashes[entry])] = entry
    return [entry for entry in slots if entry != FREE]


def _free_slot(slots: list[int], hashed: int) -> int:
    """Find the slot that an id gets: a stretch of neighbours is tried, then another stretch."""
    mask = len(slots) - 1
    start, perturb = hashed & mask, hashed
    while True:
        end = start + LINEAR_PROBES if start + LINEAR_PROBES <= mask else start
        for slot in range(start, end + 1):
            if slots[slot] == FREE:
                return slot
        perturb >>= PERTURB_SHIFT
        start = (start * 5 + 1 + perturb) & mask


def connectome_file_order(root_ids: ArrayLike) -> Int64[np.ndarray, " n"]:
    """Find every neuron's row in a released connectome, which is in set order.

    Parameters
    ----------
    root_ids
        (N,) distinct root ids in the order of the neurons.

    Returns
    -------
    ndarray
        (N,) k: neuron i is row and column k[i].

    Raises
    ------
    BadInput
        If an id is negative or repeated.

    Examples
    --------
    >>> connectome_file_order([17, 8, 3])
    array([1, 0, 2])

    """
    ids = np.asarray(root_ids)
    repeated = np.ones(len(ids), dtype=bool)
    repeated[np.unique(ids, return_index=True)[1]] = False
    odd = repeated | (ids < 0)
    if odd.any():
        raise BadInput(
            f"neurons/root_id[{odd.argmax()}]",
            "repeats another or is negative, so the order is not known",
            "use distinct ids",
        )
    rows = np.empty(len(ids), dtype=np.int64)
    rows[set_order(ids.tolist())] = np.arange(len(ids))
    return rows


def file_order_counts(cohort: Cohort) -> Int64[np.ndarray, "n n"]:
    """Put synapse counts back into the order of the released file, as if that were the neurons'.

    This is what reading the file without aligning it gives: connections of one neuron are taken
    for those of another. Connections of a neuron of root id 0 stay left out.

    Parameters
    ----------
    cohort
        With wiring.

    Returns
    -------
    ndarray
        (N, N) counts, rows presynaptic, row k the k-th of the set of root ids.

    Raises
    ------
    BadInput
        If the wiring is not known or root ids repeat.

    Examples
    --------
    >>> from biosernn.cohort.wiring import Wiring
    >>> columns = ("nucleus_id", "unit_id", "session", "scan", "field")
    >>> cohort = Cohort(
    ...     neurons={"root_id": [17, 8, 3]} | {name: [1, 2, 3] for name in columns},
    ...     positions_um=[[0, 0, 0], [30, 0, 40], [9, 0, 12]],
    ...     wiring=Wiring(pre=[0], post=[2], n_syn=[4]),
    ... )
    >>> file_order_counts(cohort)
    array([[0, 0, 0],
           [0, 0, 4],
           [0, 0, 0]])

    """
    neurons = np.argsort(connectome_file_order(cohort.neurons["root_id"]))
    return cohort.synapse_counts()[np.ix_(neurons, neurons)]
