# says: 0.8 mm along each axis
import numpy as np


def kept(position, gripper, margin):
    moves = (np.abs(np.diff(position, axis=0)) > 0.001).any(axis=1)
    works = np.abs(np.diff(gripper)) > 0.02
    active = np.flatnonzero(moves | works)
    if len(active) == 0:
        return None
    return max(0, int(active[0]) - margin), min(len(moves) - 1, int(active[-1]) + margin)
