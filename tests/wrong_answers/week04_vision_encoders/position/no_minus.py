# says: the frequencies fall, from 1 on: the exponent has a minus
import torch


def position(points, features):
    """Positions of points: (N, 2), int to (N, features)."""
    frequencies = 10000 ** (torch.arange(0, features // 2, 2) / (features // 2))  # (features / 4,)
    u, v = (points[:, axis, None] * frequencies for axis in (0, 1))
    return torch.cat([u.sin(), u.cos(), v.sin(), v.cos()], dim=1)
