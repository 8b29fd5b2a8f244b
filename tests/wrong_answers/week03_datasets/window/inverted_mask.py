# says: your mask is inverted
import numpy as np


def window(actions, start, chunk):
    rows = np.arange(start, start + chunk)
    last = len(actions) - 1
    return actions[np.minimum(rows, last)], rows <= last
