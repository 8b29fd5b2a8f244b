# says: 0.01 is the noise of the sensor
import numpy as np


def kept(position, gripper, margin):
    moves = np.linalg.norm(np.diff(position, axis=0), axis=1) > 0.001
    works = np.diff(gripper) != 0
    active = np.flatnonzero(moves | works)
    if len(active) == 0:
        return None
    return max(0, int(active[0]) - margin), min(len(moves) - 1, int(active[-1]) + margin)
