"""Moving pictures in a notebook: `show` and `watch`, on the stage's own script.

Start reading in `show`. `pictures` makes clips of what is shown, `widget` plays them by anywidget, `still` is the picture that stands in
the output where nothing plays.
"""

from fmviz.notebook.show import show
from fmviz.notebook.watch import watch

__all__ = ["show", "watch"]
