# says: the last action was really done
import numpy as np


def window(actions, start, chunk):
    rows = np.arange(start, start + chunk)
    last = len(actions) - 1
    return actions[np.minimum(rows, last)], rows >= last
