"""Action decoders: from what was understood to what is done."""

from torch import Tensor, nn


class WaypointDecoder(nn.Module):
    """A small network that writes all waypoints at once.

    Args:
        inputs: features that it reads.
        chunk: waypoints, such as 5.
        action: numbers in each, such as 7.
        width: hidden features.
    """

    def __init__(self, inputs: int, chunk: int, action: int, width: int = 128):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, width),
            nn.ReLU(),
            nn.Linear(width, chunk * action),
            nn.Unflatten(1, (chunk, action)),
        )

    def forward(self, features: Tensor) -> Tensor:
        """(B, inputs) to (B, chunk, action), normalized."""
        return self.layers(features)
