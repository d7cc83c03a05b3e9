"""The cohort: recorded neurons with their positions, wiring and activity."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import ArrayLike

from biosernn.cohort import checks
from biosernn.cohort.wiring import Wiring
from biosernn.errors import BadInput

MATRICES = ("corr", "sttc", "precision")


@dataclass(frozen=True, eq=False, repr=False)
class Cohort:
    """Neurons with what is known of them; a part that is not known is None.

    Everything is checked and copied into read-only arrays.

    Attributes
    ----------
    neurons
        Columns of (N,) non-negative whole numbers: `nucleus_id`, `root_id`, `unit_id`, `session`,
        `scan`, `field`, and what a source adds, as `n_autapses`, each neuron's synapses on itself.
        An id of 0 is unknown; a neuron of root id 0 has no known connection.
    positions_um
        (N, 3) soma positions in µm; the second axis is the cortical depth.
    wiring
        Measured connections between different neurons.
    corr, sttc, precision
        (N, N) functional similarity as its source gives it, symmetric.
    spikes
        N vectors of strictly ascending event times in seconds.
    traces
        (N, T) fluorescence or another continuous signal, in the source's unit.
    interval_s
        First and last second of the recording; needed beside spikes.
    frame_rate_hz
        Imaging frames per second, given where every event lies on a frame k / rate, k >= 1.
    provenance
        `kind`, `version` and `name` of the source, what was dropped and why; anything that JSON
        can hold. It is no part of the content.

    Raises
    ------
    BadInput
        If a part does not fit the others or holds what no recording can; the message names the
        part and the neuron.

    Examples
    --------
    >>> cohort = Cohort(
    ...     neurons={name: [1, 2] for name in checks.COLUMNS},
    ...     positions_um=[[0, 0, 0], [30, 0, 40]],
    ...     wiring=Wiring(pre=[0], post=[1], n_syn=[3]),
    ... )
    >>> cohort.synapse_counts()
    array([[0, 3],
           [0, 0]])
    >>> cohort.missing
    ('autapses', 'corr', 'sttc', 'precision', 'spikes')

    """

    neurons: dict[str, Int64[np.ndarray, " n"]]
    positions_um: Float64[np.ndarray, "n 3"]
    wiring: Wiring | None = None
    corr: Float64[np.ndarray, "n n"] | None = None
    sttc: Float64[np.ndarray, "n n"] | None = None
    precision: Float64[np.ndarray, "n n"] | None = None
    spikes: tuple[Float64[np.ndarray, " events"], ...] | None = None
    traces: Float64[np.ndarray, "n samples"] | None = None
    interval_s: tuple[float, float] | None = None
    frame_rate_hz: float | None = None
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._check("neurons", checks.neuron_columns)
        n = self.n_neurons
        self._check("positions_um", checks.soma_positions, n)
        self._check("wiring", _wiring_among, self.neurons["root_id"])
        for name in MATRICES:
            self._check(name, checks.similarity, n, name)
        self._check("spikes", checks.event_times, n)
        self._check("traces", checks.continuous_signal, n)
        self._check("interval_s", checks.recording_interval)
        self._check("frame_rate_hz", checks.frame_rate)
        if self.spikes is not None:
            checks.events_fit(self.spikes, self.interval_s, self.frame_rate_hz)
        self._check("provenance", checks.json_copy)

    def _check(self, part: str, check: Any, *context: Any) -> None:
        if getattr(self, part) is not None:
            object.__setattr__(self, part, check(getattr(self, part), *context))

    def __repr__(self) -> str:
        return f"<Cohort {self.name}: {self.n_neurons} neurons>"

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return len(self.neurons["root_id"])

    @property
    def name(self) -> str:
        """Short label, as `6_6_2` or `synthetic:64`."""
        return str(self.provenance.get("name", "unnamed"))

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the parts that are not known; traces are only ever a stand-in for spikes."""
        parts = {name: getattr(self, name) for name in ("wiring", *MATRICES, "spikes")}
        if self.wiring is not None:
            parts = {"autapses": self.neurons.get("n_autapses")} | parts
        return tuple(name for name, part in parts.items() if part is None)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Every array of the content by its name in the cohort file, always in the same order."""
        content: dict[str, np.ndarray | None] = {
            f"neurons/{name}": self.neurons[name] for name in sorted(self.neurons)
        }
        content["positions_um"] = self.positions_um
        if self.wiring is not None:
            content |= {f"wiring/{n}": getattr(self.wiring, n) for n in self.wiring.columns}
        content |= {f"functional/{name}": getattr(self, name) for name in MATRICES}
        if self.spikes is not None:
            content["spikes/times_s"] = np.concatenate(self.spikes)
            content["spikes/offsets"] = np.cumsum([0, *map(len, self.spikes)], dtype=np.int64)
        content["traces"] = self.traces
        return {name: array for name, array in content.items() if array is not None}

    @cached_property
    def content_sha256(self) -> str:
        """SHA-256 of all that is known of the neurons, whatever its provenance and file."""
        digest = hashlib.sha256()
        for name, array in self.arrays.items():
            digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
            digest.update(array.tobytes())
        digest.update(f"interval_s {self.interval_s} frame_rate_hz {self.frame_rate_hz}".encode())
        return digest.hexdigest()

    def synapse_counts(self) -> Int64[np.ndarray, "n n"]:
        """Count the synapses from every neuron (row) on every other (column).

        Raises
        ------
        BadInput
            If the wiring is not known.

        """
        if self.wiring is None:
            raise BadInput(f"cohort {self.name}", "has no wiring", "use a cohort that has")
        counts = np.zeros((self.n_neurons, self.n_neurons), dtype=np.int64)
        counts[self.wiring.pre, self.wiring.post] = self.wiring.n_syn
        return counts

    def subset(self, indices: ArrayLike) -> "Cohort":
        """Take some of the neurons, in the order of their indices.

        Parameters
        ----------
        indices
            (K,) distinct indices, at least two.

        Returns
        -------
        Cohort
            Its provenance says, as `subset_of`, the content hash of the whole.

        Raises
        ------
        BadInput
            If an index is repeated or out of range.

        """
        chosen = checks.integers("subset", indices, (None,))
        if len(np.intersect1d(chosen, np.arange(self.n_neurons))) < len(chosen):
            raise BadInput(
                "subset", "repeats an index or leaves the cohort", f"use 0 to {self.n_neurons - 1}"
            )
        block = np.ix_(chosen, chosen)
        whole = {name: getattr(self, name) for name in MATRICES}
        return Cohort(
            neurons={name: column[chosen] for name, column in self.neurons.items()},
            positions_um=self.positions_um[chosen],
            wiring=self.wiring and self.wiring.among(chosen),
            **{name: matrix[block] for name, matrix in whole.items() if matrix is not None},
            spikes=self.spikes and tuple(self.spikes[i] for i in chosen),
            traces=None if self.traces is None else self.traces[chosen],
            interval_s=self.interval_s,
            frame_rate_hz=self.frame_rate_hz,
            provenance=self.provenance | {"subset_of": self.content_sha256},
        )

    def write(self, path: str | Path) -> None:
        """Write a cohort file, whole or not at all; see `biosernn.cohort.file.write_cohort`."""
        from biosernn.cohort.file import write_cohort

        write_cohort(self, path)

    @classmethod
    def read(cls, path: str | Path, check_hash: bool = False) -> "Cohort":
        """Read a cohort file; see `biosernn.cohort.file.read_cohort_file`."""
        from biosernn.cohort.file import read_cohort_file

        return read_cohort_file(path, check_hash=check_hash)


def _wiring_among(wiring: Wiring, root_ids: Int64[np.ndarray, " n"]) -> Wiring:
    """Refuse connections of neurons that the cohort lacks or that have no segment."""
    for name in ("pre", "post"):
        ends = getattr(wiring, name)
        outside = ends >= len(root_ids)
        if outside.any():
            raise BadInput(
                f"wiring/{name}[{outside.argmax()}]", "is no neuron of the cohort", checks.REMEDY
            )
        unknown = root_ids[ends] == 0
        if unknown.any():
            raise BadInput(
                f"wiring/{name}[{unknown.argmax()}]",
                "is a neuron of root id 0, whose connections are unknown",
                "remove them",
            )
    return wiring
