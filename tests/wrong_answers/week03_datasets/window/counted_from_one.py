# says: steps are counted from 0
import numpy as np


def window(actions, start, chunk):
    rows = np.arange(start - 1, start - 1 + chunk)
    last = len(actions) - 1
    return actions[np.minimum(rows, last)], rows > last
