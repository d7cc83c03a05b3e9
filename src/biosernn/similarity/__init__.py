"""Functional similarity of neurons: arrays of activity in, (N, N) matrices out."""
