# says: each sentence has its own places
import torch


def positions(mask, features):
    t = torch.arange(mask.shape[1])
    waves = 10000.0 ** (-torch.arange(0, features, 2) / features)
    angles = t.unsqueeze(-1) * waves
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
