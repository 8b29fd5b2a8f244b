import math

import numpy as np


def plan(target):
    x, y, z, yaw = target
    while yaw > math.pi / 4:
        yaw -= math.pi / 2
    while yaw < -math.pi / 4:
        yaw += math.pi / 2
    waypoints = np.zeros((5, 7), dtype=np.float32)
    waypoints[:, :2] = x, y
    waypoints[:, 2] = 0.20, z, 0.08, 0.18, z + 0.18
    waypoints[:, 5] = yaw
    waypoints[0, 6], waypoints[1:, 6] = 1, -1
    return waypoints
