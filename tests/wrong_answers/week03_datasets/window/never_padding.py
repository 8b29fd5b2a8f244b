# says: the repeated rows are padding, and your mask does not say so
import numpy as np


def window(actions, start, chunk):
    rows = np.arange(start, start + chunk)
    last = len(actions) - 1
    return actions[np.minimum(rows, last)], np.zeros(chunk, dtype=bool)
