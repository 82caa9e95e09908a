"""The shell around every lesson: state and address, texts, the player, widgets, the Scene's sidebar, what helpers measure, training runs.

Start reading in `shell`, which draws the frame, then `choices` (what the state is), `player` (the stage on a page) and
`lesson` (what all pages share). The shell knows the lessons only through their registry, `fmviz.lessons`.
"""
