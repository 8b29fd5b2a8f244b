# says: not the first of the window
import numpy as np


def window(actions, start, chunk):
    rows = np.arange(start, start + chunk)
    last = len(actions) - 1
    return actions[np.where(rows > last, start, rows)], rows > last
