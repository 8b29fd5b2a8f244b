# says: not by the distance
import numpy as np


def project(points, eye, target, up, fov, height, width):
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, up)
    right = right / np.linalg.norm(right)
    down = np.cross(forward, right)
    x, y, z = (points - eye) @ right, (points - eye) @ down, (points - eye) @ forward
    z = np.where(z > 0, z, np.nan)
    z = np.linalg.norm(points - eye, axis=1)
    focal = height / 2 / np.tan(np.radians(fov) / 2)
    return np.stack([width / 2 + focal * x / z, height / 2 + focal * y / z], axis=1)
