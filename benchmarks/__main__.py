"""Run every benchmark, each in a process of its own; they write their tables and plots here."""

import subprocess
import sys

BENCHMARKS = ("similarity", "graph_measures", "training", "choices", "study_throughput", "scale")


def main() -> None:
    for name in BENCHMARKS:
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)


if __name__ == "__main__":
    main()
