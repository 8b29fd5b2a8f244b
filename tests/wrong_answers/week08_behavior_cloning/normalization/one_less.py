# says: not by one less
import numpy as np


def normalization(plans):
    rows = plans.reshape(-1, 7)
    std = rows.std(0, ddof=1)
    return rows.mean(0), np.where(std > 1e-3, std, 1.0)
