# says: where the recording ends, at both ends
import numpy as np


def kept(position, gripper, margin):
    moves = np.linalg.norm(np.diff(position, axis=0), axis=1) > 0.001
    works = np.abs(np.diff(gripper)) > 0.02
    active = np.flatnonzero(moves | works)
    if len(active) == 0:
        return None
    return int(active[0]) - margin, int(active[-1]) + margin
