# says: a point may lie between two cells: do not round it
import torch


def position(points, features):
    """Positions of points: (N, 2), int to (N, features)."""
    frequencies = 10000 ** (-torch.arange(0, features // 2, 2) / (features // 2))  # (features / 4,)
    u, v = (points[:, axis, None].long() * frequencies for axis in (0, 1))
    return torch.cat([u.sin(), u.cos(), v.sin(), v.cos()], dim=1)
