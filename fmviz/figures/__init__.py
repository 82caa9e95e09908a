"""Still pictures in vectors: figures for a paper, and the small pictures by which objects show themselves in a notebook.

Start reading in `figure`: it puts panels of `layers` beside one another. What is drawn is a list of `marks`, in millimetres,
and two writers, `svg` and `pdf`, know nothing else.
"""
