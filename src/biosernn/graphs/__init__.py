"""Measures of weighted graphs: weight matrices in, matrices and numbers out."""
