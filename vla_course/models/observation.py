"""What the robot observes, as tokens: the pictures of all its cameras, and its own state."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vla_course.errors import CourseError
from vla_course.models.positions import sine_positions_2d


class PictureTokens(NamedTuple):
    """The cells of all pictures in one row.

    Attributes:
        tokens: (B, N, C).
        grids: rows and columns of each camera's map, in the order of the tokens; N is the sum of their cells.
    """

    tokens: Tensor
    grids: dict[str, tuple[int, int]]

    def maps(self, values: Tensor) -> dict[str, Tensor]:
        """Cut what belongs to the tokens, such as attention logits (..., N), into a map (..., h, w) a camera."""
        parts = values.split([h * w for h, w in self.grids.values()], dim=-1)
        return {name: x.unflatten(-1, grid) for (name, grid), x in zip(self.grids.items(), parts, strict=True)}


class CameraTokens(nn.Module):
    """Several cameras as one row of tokens; each token knows its camera and its place in the picture.

    Args:
        cameras: names, such as ["front", "wrist"].
        encoders: of pictures: one that all cameras share, or one for each of them.
        width: features of a token; divisible by 4.

    Raises:
        CourseError: there are neither one nor as many encoders as cameras.
    """

    def __init__(self, cameras: Sequence[str], encoders: Sequence[nn.Module], width: int):
        super().__init__()
        if len(encoders) not in (1, len(cameras)):
            raise CourseError(f"{len(encoders)} encoders for {len(cameras)} cameras; give one, or one for each")
        self.cameras = list(cameras)
        self.encoders = nn.ModuleList(encoders)
        self.to_tokens = nn.ModuleList(nn.Linear(encoder.features, width) for encoder in encoders)
        self.camera_embedding = nn.Parameter(torch.randn(len(cameras), width) * 0.02)

    def forward(self, pictures: dict[str, Tensor], *condition: Tensor) -> PictureTokens:
        """Encode the pictures of B moments.

        Args:
            pictures: of each camera, (B, 3, H, W) float32 in [0, 1]; the sizes may differ.
            condition: what the encoders want besides, such as a pooled sentence (B, K) for FiLM.

        Raises:
            CourseError: the picture of a camera is missing.
        """
        tokens, grids = [], {}
        for i, camera in enumerate(self.cameras):
            if camera not in pictures:
                raise CourseError(f"no picture of camera {camera!r}; there are: {', '.join(sorted(pictures))}")
            part = i % len(self.encoders)  # 0 for all of them where they share one
            features = self.encoders[part](pictures[camera], *condition)  # (B, C, h, w)
            height, width = grids[camera] = tuple(features.shape[-2:])
            cells = self.to_tokens[part](features.flatten(2).transpose(1, 2))  # (B, h * w, width)
            positions = sine_positions_2d(height, width, cells.shape[-1]).to(cells)
            tokens.append(cells + positions + self.camera_embedding[i])
        return PictureTokens(torch.cat(tokens, dim=1), grids)


class StateToken(nn.Module):
    """Proprioception as one token, beside those of the pictures.

    Args:
        inputs: numbers in a state, such as 7.
        width: features of a token.
    """

    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.layer = nn.Linear(inputs, width)

    def forward(self, state: Tensor) -> Tensor:
        """Normalized state (B, inputs) to (B, 1, C)."""
        return self.layer(state).unsqueeze(1)
