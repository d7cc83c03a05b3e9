"""Whether a cohort can be trusted."""
