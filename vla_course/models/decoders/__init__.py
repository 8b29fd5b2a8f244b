"""Action decoders: from what was understood to what is done. One idea a file, one interface for all.

    regression.py      one answer: L1 or squared error
    tokens.py          a bin for each number, all at once
    autoregressive.py  a bin for each number, one after the other
    act.py             a conditional variational autoencoder
    diffusion.py       noise, taken away step by step
    flow.py            noise, carried along a velocity field
    denoiser.py        the network that diffusion and flow matching share
    two_ways.py        a toy whose right answer is not one answer

All of them write and read normalized actions: mean about 0, most of them within -3 and 3.
"""

from vla_course.models.decoders.act import ACTDecoder
from vla_course.models.decoders.autoregressive import AutoregressiveDecoder
from vla_course.models.decoders.diffusion import DiffusionDecoder
from vla_course.models.decoders.flow import FlowDecoder
from vla_course.models.decoders.interface import ActionDecoder
from vla_course.models.decoders.regression import WaypointDecoder
from vla_course.models.decoders.tokens import TokenDecoder

__all__ = [
    "ACTDecoder",
    "ActionDecoder",
    "AutoregressiveDecoder",
    "DiffusionDecoder",
    "FlowDecoder",
    "TokenDecoder",
    "WaypointDecoder",
]
