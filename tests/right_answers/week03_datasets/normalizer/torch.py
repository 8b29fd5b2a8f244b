import numpy as np
import torch


def normalizer(rows, trains, kind):
    rows = torch.tensor(rows)[torch.tensor(trains)]
    if kind == "mean_std":
        offset, scale = rows.mean(0), rows.std(0, correction=0)
    else:
        ends = torch.tensor([0.0, 1.0] if kind == "min_max" else [0.01, 0.99], dtype=rows.dtype)
        low, high = rows.quantile(ends, dim=0)
        offset, scale = low + (high - low) / 2, (high - low) / 2
    return offset, scale.masked_fill(scale <= 1e-3, 1.0)


def restore(normalized, offset, scale):
    return normalized * np.asarray(scale) + np.asarray(offset)
