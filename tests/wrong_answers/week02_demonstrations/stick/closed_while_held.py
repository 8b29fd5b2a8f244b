# says: stays as it is when the button comes up
import numpy as np


def drive(sticks, pressed, dead_zone):
    size = np.clip((np.abs(sticks) - dead_zone) / (1 - dead_zone), 0, 1)
    right, toward, down = (np.sign(sticks) * size).T
    presses = pressed.astype(int)
    return np.stack([toward, right, -down, np.where(presses % 2 == 0, 1.0, -1.0)], axis=1)
