"""Probability paths: conditional and marginal, side by side. Start reading in `compute.results`."""
