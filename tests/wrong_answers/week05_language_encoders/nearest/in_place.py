# says: you have written into `asked`
import torch


def nearest(asked, known, least):
    asked /= asked.norm(dim=1, keepdim=True).clamp(min=1e-12)
    cosine, row = (asked @ (known / known.norm(dim=1, keepdim=True).clamp(min=1e-12)).T).max(1)
    return torch.where(cosine >= least, row, -1)
