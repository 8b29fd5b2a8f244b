# says: you have written into `known`
import torch


def nearest(asked, known, least):
    known /= known.norm(dim=1, keepdim=True).clamp(min=1e-12)
    cosine, row = ((asked / asked.norm(dim=1, keepdim=True).clamp(min=1e-12)) @ known.T).max(1)
    return torch.where(cosine >= least, row, -1)
