# says: roll is not exactly constant
import numpy as np


def normalization(plans):
    rows = plans.reshape(-1, 7)
    std = rows.std(0)
    return rows.mean(0), np.where(std == 0, 1.0, std)
