"""From finished runs to effects, intervals and verdicts."""
