# says: so multiply by the rate
import numpy as np


def judge(position, rate):
    length = np.linalg.norm(np.diff(position, axis=1), axis=-1).sum(axis=1)
    jerk = np.diff(position, n=3, axis=1) / rate**3
    return length, np.sqrt((jerk**2).sum(axis=-1).mean(axis=1))
