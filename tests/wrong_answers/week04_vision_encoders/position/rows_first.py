# says: the first half tells u, the column
import torch


def position(points, features):
    """Positions of points: (N, 2), int to (N, features)."""
    frequencies = 10000 ** (-torch.arange(0, features // 2, 2) / (features // 2))  # (features / 4,)
    u, v = (points[:, axis, None] * frequencies for axis in (0, 1))
    return torch.cat([v.sin(), v.cos(), u.sin(), u.cos()], dim=1)
