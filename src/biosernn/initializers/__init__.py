"""Initial recurrent weights: W_bio with its stages, and every control."""
