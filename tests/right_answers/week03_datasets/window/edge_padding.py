import numpy as np


def window(actions, start, chunk):
    missing = max(0, start + chunk - len(actions))
    found = np.pad(actions[start : start + chunk], ((0, missing), (0, 0)), mode="edge")
    return found, np.repeat([False, True], [chunk - missing, missing])
