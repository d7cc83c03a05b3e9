"""Spike time tiling of all pairs, on one core."""

import resource
import time

import numpy as np

from benchmarks.page import table, write_page
from biosernn import sttc

CASES = (
    ("312 neurons, one hour, 1 Hz, real-valued times", 312, 3600.0, 312 * 3600, False),
    ("200 neurons, 6,300 s, 500,000 events on the frame grid", 200, 6300.0, 500_000, True),
    ("1,000 neurons, one hour, 1 Hz, real-valued times", 1000, 3600.0, 1000 * 3600, False),
)


def measure() -> list[str]:
    """The page's lines."""
    rows = []
    for name, neurons, duration, events, on_frames in CASES:
        rng = np.random.default_rng(0)
        times = rng.uniform(0.2, duration, events)
        if on_frames:
            times = np.rint(times * 6.3009) / 6.3009
        spikes = [np.unique(part) for part in np.array_split(times, neurons)]
        started = time.perf_counter()
        sttc(spikes, 0.1, (0.0, duration))
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows.append([name, f"{seconds:.2f}", f"{peak:.0f}"])
    return table(["case", "seconds", "peak memory of the process, MiB"], rows)


def main() -> None:
    write_page("similarity", "Spike time tiling of all pairs, on one core", measure())


if __name__ == "__main__":
    main()
