import numpy as np


def project(points, eye, target, up, fov, height, width):
    back = (eye - target) / np.linalg.norm(eye - target)
    right = np.cross(up, back)
    right = right / np.linalg.norm(right)
    world = np.vstack([right, np.cross(back, right), back])
    seen = world @ (points - eye).T
    scale = 1 / np.tan(np.deg2rad(fov / 2))
    clip = np.array([scale * height / width * seen[0], scale * seen[1], -seen[2]])
    with np.errstate(all="ignore"):
        screen = np.where(clip[2] > 0, clip[:2] / clip[2], np.nan)
    return np.array([(screen[0] + 1) / 2 * width, (1 - screen[1]) / 2 * height]).T
