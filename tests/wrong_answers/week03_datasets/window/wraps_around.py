# says: goes on at the beginning of the episode
import numpy as np


def window(actions, start, chunk):
    rows = np.arange(start, start + chunk)
    last = len(actions) - 1
    return actions[rows % len(actions)], rows > last
