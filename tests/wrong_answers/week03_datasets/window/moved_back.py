# says: the window was moved back until it fits
import numpy as np


def window(actions, start, chunk):
    start = max(0, min(start, len(actions) - chunk))
    rows = np.arange(start, start + chunk)
    last = len(actions) - 1
    return actions[np.minimum(rows, last)], rows > last
