# says: not against it
import numpy as np


def plan(target):
    x, y, z, yaw = target
    yaw = -yaw
    yaw = (yaw + np.pi / 4) % (np.pi / 2) - np.pi / 4
    heights = [0.15, 0.07, z, 0.10, 0.25]
    grippers = [1, 1, -1, -1, -1]
    return np.array([[x, y, height, 0, 0, yaw, grip] for height, grip in zip(heights, grippers)])
