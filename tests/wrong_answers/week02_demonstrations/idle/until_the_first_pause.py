# says: the pause in the middle stays
import numpy as np


def kept(position, gripper, margin):
    moves = np.linalg.norm(np.diff(position, axis=0), axis=1) > 0.001
    works = np.abs(np.diff(gripper)) > 0.02
    active = moves | works
    if not active.any():
        return None
    first = last = int(np.argmax(active))
    while last + 1 < len(active) and active[last + 1]:
        last += 1
    return max(0, first - margin), min(len(active) - 1, last + margin)
