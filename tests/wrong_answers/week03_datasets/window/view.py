# says: the chunk is a view of the episode
import numpy as np


def window(actions, start, chunk):
    found = actions[start : start + chunk]
    missing = chunk - len(found)
    if missing:
        found = np.concatenate([found, np.repeat(actions[-1:], missing, axis=0)])
    return found, np.arange(chunk) >= chunk - missing
