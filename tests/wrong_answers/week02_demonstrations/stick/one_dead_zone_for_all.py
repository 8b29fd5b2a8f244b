# says: each axis has a dead zone of its own
import numpy as np


def drive(sticks, pressed, dead_zone):
    length = np.linalg.norm(sticks, axis=1, keepdims=True)
    push = sticks / np.maximum(length, 1e-9) * np.clip((length - dead_zone) / (1 - dead_zone), 0, 1)
    presses = np.cumsum(pressed & ~np.append(False, pressed[:-1]))
    return np.stack([push[:, 1], push[:, 0], -push[:, 2], np.where(presses % 2 == 0, 1.0, -1.0)], axis=1)
