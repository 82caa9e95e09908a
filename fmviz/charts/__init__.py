"""Plotly and Altair figures from plain arrays, and the palette."""
