"""Measurements of speed; `make bench` runs them all. Ratios are taken within one run.

What is imported after this keeps its arithmetic to one thread; a benchmark that uses more cores
starts processes of its own.
"""

import os

ONE_THREAD = ("NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
for _name in ONE_THREAD:
    os.environ[_name] = "1"
