import math

import numpy as np


def project(points, eye, target, up, fov, height, width):
    def cross(a, b):
        return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]

    def unit(a):
        return [k / math.dist(a, [0, 0, 0]) for k in a]

    forward = unit([t - e for t, e in zip(target, eye, strict=True)])
    right = unit(cross(forward, up))
    above = cross(right, forward)
    found = []
    for point in points:
        ray = [p - e for p, e in zip(point, eye, strict=True)]
        x, y, z = (sum(r * d for r, d in zip(ray, axis, strict=True)) for axis in (right, above, forward))
        if z <= 0:
            found.append([math.nan, math.nan])
            continue
        tangent = math.tan(math.radians(fov / 2))
        u = (x / z / tangent * height / width + 1) / 2 * width
        found.append([u, (1 - y / z / tangent) / 2 * height])
    return np.array(found)
