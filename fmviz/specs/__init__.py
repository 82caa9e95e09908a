"""Everything a user can choose, as frozen pydantic models, and the link that carries it."""

from fmviz.specs.conservation import ConservationView
from fmviz.specs.flows import FlowsView
from fmviz.specs.link import State, decode, encode
from fmviz.specs.mixture import Component
from fmviz.specs.sampling import SampleView
from fmviz.specs.scene import Scene
from fmviz.specs.train import TrainView
from fmviz.specs.views import Clock, PathsView, Shell

__all__ = [
    "Clock",
    "Component",
    "ConservationView",
    "FlowsView",
    "PathsView",
    "SampleView",
    "Scene",
    "Shell",
    "State",
    "TrainView",
    "decode",
    "encode",
]
