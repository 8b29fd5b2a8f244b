# says: where the depth is 0, too
import numpy as np


def project(points, eye, target, up, fov, height, width):
    """Where points of the world fall in a picture: (N, 3) meters to (N, 2) pixels, NaN behind the camera."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, up)
    right = right / np.linalg.norm(right)
    down = np.cross(forward, right)
    x, y, z = (points - eye) @ right, (points - eye) @ down, (points - eye) @ forward  # each (N,)
    z = np.where(z >= 0, z, np.nan)
    focal = height / 2 / np.tan(np.radians(fov) / 2)  # pixels
    return np.stack([width / 2 + focal * x / z, height / 2 + focal * y / z], axis=1)
