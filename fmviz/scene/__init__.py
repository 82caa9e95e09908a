"""Everything a user can choose, as frozen pydantic models, and the link that carries it."""

from fmviz.lessons.conservation.settings import ConservationView
from fmviz.lessons.flows.settings import FlowsView
from fmviz.lessons.sample.settings import SampleView
from fmviz.lessons.train.settings import TrainView
from fmviz.scene.components import Component
from fmviz.scene.link import State, decode, encode
from fmviz.scene.scene import Scene
from fmviz.scene.views import Clock, PathsView, Shell

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
