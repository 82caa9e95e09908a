"""Work for other processes: one call of a function each, in fair turns, bounded in number and time.

The interpreter that serves pages computes nothing long. `runner` gives the calls to helper processes, `worker` is what runs
there.
"""
