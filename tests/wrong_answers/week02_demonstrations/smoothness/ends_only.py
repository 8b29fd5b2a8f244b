# says: do not compare the ends
import numpy as np


def judge(position, rate):
    length = np.linalg.norm(position[:, -1] - position[:, 0], axis=-1)
    jerk = np.diff(position, n=3, axis=1) * rate**3
    return length, np.sqrt((jerk**2).sum(axis=-1).mean(axis=1))
