# says: not with the first
import numpy as np


def kept(position, gripper, margin):
    moves = np.linalg.norm(position[1:] - position[0], axis=1) > 0.001
    active = np.flatnonzero(moves | (np.abs(np.diff(gripper)) > 0.02))
    if len(active) == 0:
        return None
    return max(0, int(active[0]) - margin), min(len(moves) - 1, int(active[-1]) + margin)
