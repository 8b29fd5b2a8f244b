# says: zeros send the robot somewhere
import numpy as np


def window(actions, start, chunk):
    result = np.zeros((chunk, 7))
    found = actions[start : start + chunk]
    result[: len(found)] = found
    return result, np.arange(chunk) >= len(found)
