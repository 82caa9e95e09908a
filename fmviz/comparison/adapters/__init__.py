"""Networks that were trained with other libraries, as the velocity of any path to the same data.

Each library has its own schedule, time, prediction and way to call a network. `translated` says what they have in common: at equal
signal-to-noise ratio two paths differ by a factor. None of the libraries is imported; what is read are the objects that the user has.

===================  ============================================  =======================================================
library              call                                          the network answers
===================  ============================================  =======================================================
diffusers            ``from_diffusers(path, model, scheduler)``    noise, data, v or flow, as the scheduler says
torchcfm             ``from_torchcfm(path, model, matcher)``       the velocity of the matcher's path
azula                ``from_azula(path, denoiser)``                the mean of the data
flow_matching        ``from_flow_matching(path, model)``           the velocity, of the path or of a scheduler
===================  ============================================  =======================================================
"""

from fmviz.comparison.adapters.azula import from_azula
from fmviz.comparison.adapters.diffusers import DiffusersNetwork, from_diffusers
from fmviz.comparison.adapters.flow_matching import from_flow_matching
from fmviz.comparison.adapters.scheduled import ScheduledNetwork
from fmviz.comparison.adapters.torchcfm import from_torchcfm

__all__ = [
    "DiffusersNetwork",
    "ScheduledNetwork",
    "from_azula",
    "from_diffusers",
    "from_flow_matching",
    "from_torchcfm",
]
