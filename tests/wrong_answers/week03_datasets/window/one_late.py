# says: the chunk begins with the action of step `start` itself
import numpy as np


def window(actions, start, chunk):
    rows = np.arange(start + 1, start + 1 + chunk)
    last = len(actions) - 1
    return actions[np.minimum(rows, last)], rows > last
