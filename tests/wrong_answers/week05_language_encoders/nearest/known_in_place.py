# says: you have written into `known`
import torch


def nearest(asked, known, least):
    """The row of `known` that points the same way, or -1: (N, C), (M, C) to (N,)."""
    unit = lambda rows: rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-12)
    known /= known.norm(dim=1, keepdim=True).clamp(min=1e-12)
    cosine, row = (unit(asked) @ unit(known).T).max(1)
    return torch.where(cosine >= least, row, -1)
