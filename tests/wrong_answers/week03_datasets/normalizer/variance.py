# says: this is the variance
import numpy as np


def normalizer(rows, trains, kind):
    rows = rows[trains]
    if kind == "mean_std":
        offset, scale = rows.mean(0), rows.var(0)
    else:
        low, high = (rows.min(0), rows.max(0)) if kind == "min_max" else np.quantile(rows, [0.01, 0.99], axis=0)
        offset, scale = (low + high) / 2, (high - low) / 2
    return offset, np.where(scale > 1e-3, scale, 1.0)


def restore(normalized, offset, scale):
    return normalized * scale + offset
