import math

import numpy as np


def unproject(depth, fov, base_from_camera):
    height, width = depth.shape
    points = np.zeros((height, width, 3))
    step = math.tan(math.radians(fov / 2)) / (height / 2)
    for i in range(height):
        for j in range(width):
            z = float(depth[i, j])
            seen = np.array([(j - (width - 1) / 2) * step * z, (i - (height - 1) / 2) * step * z, z, 1.0])
            points[i, j] = (base_from_camera @ seen)[:3]
    return points
