import torch
from torch.nn import functional as F


def place(scores, radius):
    """Where a map peaks, and the share of its weight there: (B, h, w), int to (B, 2) and (B,)."""
    height, width = scores.shape[1:]
    top = (scores == scores.amax((1, 2), keepdim=True)).float()
    near = F.max_pool2d(top[:, None], 2 * radius + 1, 1, radius)[:, 0]
    weights = (scores - scores.amax((1, 2), keepdim=True)).exp()
    inside = weights * near
    total = inside.sum((1, 2))
    u = (inside.sum(1) * (torch.arange(width) + 0.5) / width).sum(1) / total
    v = (inside.sum(2) * (torch.arange(height) + 0.5) / height).sum(1) / total
    return torch.stack([u, v], 1), total / weights.sum((1, 2))
