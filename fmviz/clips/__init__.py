"""Clips: moving pictures as frozen arrays, and what several lessons build theirs from.

Start reading in `clip`, which says what a clip is; `paths` builds those of a probability path.
"""
