# says: only where the cosine is less than `least`
import torch


def unit(rows):
    return rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-12)


def nearest(asked, known, least):
    cosine, row = (unit(asked) @ unit(known).T).max(1)
    return torch.where(cosine > least, row, -1)
