"""Regression: one answer for each question.

The absolute error is least at the median of what was demonstrated, the squared error at the mean. Where there are two
right answers, neither need be one of them: see two_ways.py.
"""

from typing import Literal, get_args

from torch import Generator, Tensor, nn

from vla_course.errors import one_of
from vla_course.models.decoders.interface import check_chunk, masked_mean

Error = Literal["l1", "mse"]


class WaypointDecoder(nn.Module):
    """A small network that writes all waypoints, or all actions of a chunk, at once.

    OpenVLA-OFT's head for continuous actions is of this kind, with L1 (Kim et al. 2025, arXiv:2502.19645).

    Args:
        inputs: features that it reads.
        chunk: waypoints, such as 5.
        action: numbers in each, such as 7.
        width: hidden features.
        error: "l1" or "mse".

    Raises:
        CourseError: another error.
    """

    def __init__(self, inputs: int, chunk: int, action: int, width: int = 128, error: Error = "l1"):
        super().__init__()
        one_of("error", error, get_args(Error))
        self.shape = (chunk, action)
        self.error = error
        self.layers = nn.Sequential(
            nn.Linear(inputs, width),
            nn.ReLU(),
            nn.Linear(width, chunk * action),
            nn.Unflatten(1, (chunk, action)),
        )

    def forward(self, features: Tensor) -> Tensor:
        """(B, inputs) to (B, chunk, action), normalized."""
        return self.layers(features)

    def loss(self, context: Tensor, actions: Tensor, keep: Tensor, generator: Generator | None = None) -> Tensor:
        """Mean error of the rows that count; see `ActionDecoder.loss`. Nothing is drawn."""
        check_chunk(actions, keep, self.shape)
        difference = self(context) - actions
        return masked_mean(difference.abs() if self.error == "l1" else difference.square(), keep)

    def sample(self, context: Tensor, generator: Generator | None = None) -> Tensor:
        """The answer (B, chunk, action). Nothing is drawn."""
        return self(context)
