# says: for the stop between them counts
import numpy as np


def demonstrations(position, gripper, rate, pause, shortest):
    speed = np.linalg.norm(np.diff(position, axis=0), axis=1) * rate
    active = np.flatnonzero((speed > 0.02) | (np.diff(gripper) != 0))
    groups = np.split(active, np.flatnonzero((np.diff(active) - 1) / rate >= pause) + 1)
    return [(group[0], group[-1] + 1) for group in groups if len(group) / rate >= shortest]
