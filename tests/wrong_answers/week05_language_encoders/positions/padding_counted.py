# says: padding in front is counted
import torch


def positions(mask, features):
    t = torch.arange(mask.shape[1]).expand(mask.shape)
    waves = 10000.0 ** (-torch.arange(0, features, 2) / features)
    angles = t.unsqueeze(-1) * waves
    return torch.cat([angles.sin(), angles.cos()], dim=-1) * mask.unsqueeze(-1)
