# says: each half is an encoding of its own: divide the exponent by F / 2, the features of the half
import torch


def position(points, features):
    """Positions of points: (N, 2), int to (N, features)."""
    frequencies = 10000 ** (-torch.arange(0, features // 2, 2) / features)  # (features / 4,)
    u, v = (points[:, axis, None] * frequencies for axis in (0, 1))
    return torch.cat([u.sin(), u.cos(), v.sin(), v.cos()], dim=1)
