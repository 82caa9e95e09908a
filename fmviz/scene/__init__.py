"""The Scene: what a user can choose on every page, the link that carries it, and the path it stands for.

`scene.Scene` is the model; start reading there. `scenes` makes the mixtures, the scheduler and the path of it, `known`
finds the scene of a path, `link` writes and reads addresses, and `code` writes a scene as a program.
"""

from fmviz.scene.components import Component
from fmviz.scene.scene import Scene
from fmviz.scene.views import Clock, PathView, Shell

__all__ = ["Clock", "Component", "PathView", "Scene", "Shell"]
