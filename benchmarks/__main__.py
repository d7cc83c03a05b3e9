"""Run every benchmark and write its table beside this file."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC"):
    os.environ[name] = "1"

from pathlib import Path  # noqa: E402

from benchmarks import graph_measures, similarity, training  # noqa: E402


def main() -> None:
    folder = Path(__file__).parent
    for benchmark in (similarity, graph_measures, training):
        lines = [f"# {benchmark.__doc__.splitlines()[0]}", "", *benchmark.table(), ""]
        text = "\n".join(lines)
        (folder / f"{benchmark.__name__.rsplit('.', 1)[-1]}.md").write_text(text)
        print(text, flush=True)


if __name__ == "__main__":
    main()
