"""Where neurons lie: positions in, positions and distance matrices out."""
