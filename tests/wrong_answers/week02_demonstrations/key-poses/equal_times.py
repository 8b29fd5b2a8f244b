# says: rows at equal times
import numpy as np


def key_poses(recording):
    return recording[np.linspace(0, len(recording) - 1, 5).astype(int)]
