# says: in front of the camera
import numpy as np


def unproject(depth, fov, base_from_camera):
    height, width = depth.shape
    focal = height / 2 / np.tan(np.radians(fov) / 2)
    row, column = np.indices(depth.shape) + 0.5
    x = (column - width / 2) / focal * depth
    y = (row - height / 2) / focal * depth
    seen = np.stack([x, y, -depth], axis=-1)
    return seen @ base_from_camera[:3, :3].T + base_from_camera[:3, 3]
