"""fmviz: flow matching and diffusion in two dimensions, exact, learned and moving."""

from fmviz.errors import FmvizError

__all__ = ["FmvizError", "__version__"]

__version__ = "0.1.0"
