import numpy as np


def unproject(depth, fov, base_from_camera):
    depth = depth.astype(np.float32)
    height, width = depth.shape
    half = np.tan(np.deg2rad(np.float32(fov)) / 2)
    u = ((np.arange(width, dtype=np.float32) + 0.5) * 2 - width) / height
    v = ((np.arange(height, dtype=np.float32) + 0.5) * 2 - height) / height
    across, down = np.meshgrid(u * half, v * half)
    rays = np.dstack([across, down, np.ones_like(across)]).reshape(-1, 3)
    points = base_from_camera.astype(np.float32) @ np.c_[rays * depth.reshape(-1, 1), np.ones(depth.size)].T
    return points[:3].T.reshape(height, width, 3)
