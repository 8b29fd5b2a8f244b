# says: first the sines, then the cosines, of one coordinate; not in turns
import torch


def position(points, features):
    """Positions of points: (N, 2), int to (N, features)."""
    frequencies = 10000 ** (-torch.arange(0, features // 2, 2) / (features // 2))  # (features / 4,)
    u, v = (points[:, axis, None] * frequencies for axis in (0, 1))
    return torch.cat([torch.stack([x.sin(), x.cos()], -1).flatten(1) for x in (u, v)], dim=1)
