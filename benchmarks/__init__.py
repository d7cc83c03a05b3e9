"""Measurements of speed; `make bench` runs them all. Ratios are taken within one run."""
