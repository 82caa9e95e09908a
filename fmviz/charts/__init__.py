"""The palette, the theme, and marks that several lessons share; plain arrays in, Plotly and Altair figures or pictures out.

Start reading in `palette`: it gives each quantity its one colour.
"""
