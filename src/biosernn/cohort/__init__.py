"""The cohort: neurons with positions, wiring and activity, and its file."""
