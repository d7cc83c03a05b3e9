"""The recurrent network, its loss, and one run from weights and key to curves and weights."""
