# says: the camera's pose is not inverted
import numpy as np


def seen_from(base_from_camera, base_from_object):
    rotation, position = base_from_camera[:3, :3], base_from_camera[:3, 3]
    camera_from_base = np.eye(4)
    camera_from_base[:3, :3] = rotation
    camera_from_base[:3, 3] = position
    return camera_from_base @ base_from_object
