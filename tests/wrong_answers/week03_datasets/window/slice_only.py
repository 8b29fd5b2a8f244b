# says: all chunks have the same length
import numpy as np


def window(actions, start, chunk):
    found = actions[start : start + chunk]
    return found.copy(), np.zeros(len(found), dtype=bool)
