# says: angles are in radians here
import torch


def positions(mask, features):
    t = mask.cumsum(1) - 1
    waves = 10000.0 ** (-torch.arange(0, features, 2) / features)
    angles = torch.deg2rad(t.unsqueeze(-1) * waves)
    return torch.cat([angles.sin(), angles.cos()], dim=-1) * mask.unsqueeze(-1)
