# says: np.argmax says 0
import numpy as np


def kept(position, gripper, margin):
    moves = np.linalg.norm(np.diff(position, axis=0), axis=1) > 0.001
    active = moves | (np.abs(np.diff(gripper)) > 0.02)
    first = int(np.argmax(active))
    last = first
    for step in range(len(active)):
        last = step if active[step] else last
    return max(0, first - margin), min(len(active) - 1, last + margin)
