# says: where the object sees the camera
import numpy as np


def seen_from(base_from_camera, base_from_object):
    return np.linalg.inv(base_from_object) @ base_from_camera
