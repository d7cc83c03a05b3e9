"""Small made-up recordings: the files of a released field, and the parts of a cohort."""

import io
from typing import Any

import numpy as np

from biosernn.cohort.wiring import Wiring

N = 10
FRAME_S = 1 / 6.3009
ROOT_IDS = [864691135000000000 + k for k in (3, 1, 4, 9, 5)]
SPIKES = ([0.5, 1.0, 2.5], [], [0.25, 3.0], [1.0], [1.0, 3.5])


class Calls:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def objects(vectors: list[Any]) -> np.ndarray:
    array = np.empty(len(vectors), dtype=object)
    array[:] = vectors
    return array


def npy(values: Any) -> bytes:
    """A `.npy` file."""
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=True)
    return stream.getvalue()


def counts_csv(counts: np.ndarray) -> bytes:
    """A connectome's file."""
    lines = ["," + ",".join(map(str, range(len(counts))))]
    lines += [f"{i}," + ",".join(map(str, row)) for i, row in enumerate(counts)]
    return "".join(f"{line}\n" for line in lines).encode()


def recording(n: int = N, seed: int = 1) -> dict[str, Any]:
    """What a released field holds, its connectome in the neurons' order."""
    rng = np.random.default_rng(seed)
    similar = np.eye(n) + np.tril(rng.uniform(-0.2, 0.2, (n, n)), -1)
    counts = rng.poisson(0.4, (n, n))
    np.fill_diagonal(counts, 0)
    return {
        "counts": counts,
        "root_ids": 864691135000000000 + rng.integers(10**9, size=n),
        "target_ids": np.arange(100, 100 + n),
        "unit_ids": np.arange(n)[::-1] + 1,
        "positions": objects(list(rng.integers(10_000, 200_000, (n, 3)))),
        "corr": similar + np.tril(similar, -1).T,
        "sttc": similar / 2 + np.eye(n) / 2,
        "precision": 10 * np.eye(n),
        "spikes": objects(
            [np.sort(rng.choice(np.arange(1, 500, 2), 9 + i, replace=False)) for i in range(n)]
        )
        * FRAME_S,
    }


def release_files(content: dict[str, Any], field: str = "6_6_2") -> dict[str, bytes]:
    """The files of a released field by their names, the connectome in its own order."""
    root_ids = content["root_ids"].tolist()
    order = [root_ids.index(root_id) for root_id in set(root_ids)]
    files = {f"connectome_{field}.csv": counts_csv(content["counts"][np.ix_(order, order)])}
    for name in ("root_ids", "target_ids", "unit_ids", "positions", "spikes"):
        files[f"{name}_{field}.npy"] = npy(content[name])
    for name in ("corr", "sttc", "precision"):
        files[f"{name}_matrix.npy"] = npy(content[name])
    return files


def symmetric(rng: np.random.Generator, diagonal: float = 1.0) -> np.ndarray:
    matrix = rng.uniform(-0.4, 0.4, (5, 5))
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, diagonal)
    return matrix


def parts(seed: int = 0) -> dict[str, Any]:
    """Everything that a cohort of five neurons can have."""
    rng = np.random.default_rng(seed)
    return {
        "neurons": {
            "nucleus_id": np.arange(11, 16),
            "root_id": np.array(ROOT_IDS),
            "unit_id": np.array([5, 4, 3, 2, 1]),
            "session": np.full(5, 6),
            "scan": np.full(5, 6),
            "field": np.full(5, 2),
            "n_autapses": np.array([0, 1, 0, 2, 0]),
        },
        "positions_um": rng.uniform(0, 500, (5, 3)),
        "wiring": Wiring(pre=[0, 0, 3], post=[1, 4, 2], n_syn=[1, 7, 2]),
        "corr": symmetric(rng),
        "sttc": symmetric(rng),
        "precision": symmetric(rng, diagonal=9.0),
        "spikes": tuple(np.array(times, dtype=float) for times in SPIKES),
        "traces": rng.normal(size=(5, 7)),
        "interval_s": (0.0, 4.0),
        "frame_rate_hz": 4.0,
        "provenance": {"kind": "made up", "name": "five", "version": 1, "note": "µ\u0000 and ü"},
    }
