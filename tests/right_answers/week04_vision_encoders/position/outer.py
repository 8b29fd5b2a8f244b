import math

import torch


def position(points, features):
    """Positions of points: (N, 2), int to (N, features)."""
    steps = torch.arange(features // 4, dtype=torch.float64)
    angles = points.double().unsqueeze(2) * torch.exp(-steps * 4 / features * math.log(10000))  # (N, 2, F / 4)
    return torch.cat([angles.sin(), angles.cos()], dim=2).flatten(1).float()
