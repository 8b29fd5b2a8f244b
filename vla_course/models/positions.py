"""Where a token is: in a sentence, or in a picture. Attention without positions sees a bag of tokens."""

import torch
from torch import Tensor

from vla_course.errors import CourseError


def sine_positions(length: int, features: int) -> Tensor:
    """Sine and cosine waves of growing length (Vaswani et al. 2017, section 3.5): (length, features).

    Frequency i of F / 2 is 10000^(-2i / F); the sines come first, then the cosines. Any length fits.

    Raises:
        CourseError: `features` is odd.
    """
    if features % 2:
        raise CourseError(f"sine positions need an even number of features, not {features}; choose another width")
    frequencies = 10000 ** (-torch.arange(0, features, 2) / features)  # (F / 2,)
    angles = torch.arange(length).unsqueeze(1) * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def sine_positions_2d(height: int, width: int, features: int) -> Tensor:
    """Positions of the cells of a map, row by row (He et al. 2022, MAE): (height * width, features).

    Half of the features tell the column, half the row.

    Raises:
        CourseError: `features` is not divisible by 4.
    """
    if features % 4:
        raise CourseError(f"2-D sine positions need features divisible by 4, not {features}; choose another width")
    columns = sine_positions(width, features // 2).repeat(height, 1)
    rows = sine_positions(height, features // 2).repeat_interleave(width, 0)
    return torch.cat([columns, rows], dim=1)


def grid_centers(height: int, width: int, device: torch.device) -> Tensor:
    """Centers of the cells of a map, row by row: (H * W, 2) u and v, each 0 to 1."""
    v, u = torch.meshgrid(
        (torch.arange(height, device=device) + 0.5) / height,
        (torch.arange(width, device=device) + 0.5) / width,
        indexing="ij",
    )
    return torch.stack([u, v], -1).flatten(0, 1)
