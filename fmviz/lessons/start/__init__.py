"""Start: a probability path that moves, and the way into the lessons."""
