"""A toy with two right answers: around an obstacle, left or right, but not through it.

The mean of the two is the straight line through the obstacle, and that is what the squared error asks for. A decoder
that learns a distribution can go one way or the other (Florence et al. 2021, arXiv:2109.00137; Chi et al. 2023,
arXiv:2303.04137).
"""

import torch
from torch import Generator, Tensor

RADIUS = 0.3  # of the obstacle
DETOUR = 0.8  # how far beside its center the paths pass


def two_ways(count: int, generator: Generator, chunk: int = 8) -> tuple[Tensor, Tensor]:
    """Demonstrations that pass an obstacle, half of them on its left and half on its right.

    Args:
        count: how many.
        generator: draws the obstacle's place, the side, and a little noise.
        chunk: points of a path.

    Returns:
        The context (count, 1): where the obstacle's center is on the y axis, -0.3 to 0.3. The paths (count, chunk, 2):
        x and y of points from x = -1 to x = 1.
    """
    center = torch.rand(count, 1, generator=generator) * 0.6 - 0.3
    side = torch.randint(0, 2, (count, 1), generator=generator) * 2.0 - 1
    along = torch.linspace(0, 1, chunk)
    x = (2 * along - 1).expand(count, chunk)
    y = center + side * DETOUR * torch.sin(torch.pi * along)  # (count, chunk)
    paths = torch.stack([x, y], dim=-1)
    return center, paths + 0.02 * torch.randn(paths.shape, generator=generator)


def hits(context: Tensor, paths: Tensor) -> Tensor:
    """Which paths come too near the obstacle, at a point or between two points: (B,) bool.

    Args:
        context: (B, 1), as `two_ways` gives it.
        paths: (B, T, 2).
    """
    center = torch.cat([torch.zeros_like(context), context], dim=1).unsqueeze(1)  # (B, 1, 2)
    start, step = paths[:, :-1], paths.diff(dim=1)  # (B, T - 1, 2)
    # The point of each segment that is nearest to the center, as a share of the segment.
    share = ((center - start) * step).sum(-1) / step.square().sum(-1).clamp(min=1e-9)
    nearest = start + share.clamp(0, 1).unsqueeze(-1) * step
    return ((nearest - center).norm(dim=-1) < RADIUS).any(1)
