# says: average over the plans and over their waypoints
import numpy as np


def normalization(plans):
    std = plans.std(0)
    return plans.mean(0), np.where(std > 1e-3, std, 1.0)
