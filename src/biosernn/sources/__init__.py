"""Where cohorts come from: one file per origin, each returning a `Cohort`."""
