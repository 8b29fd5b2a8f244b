# says: the inverse stands on the left
import numpy as np


def seen_from(base_from_camera, base_from_object):
    return base_from_object @ np.linalg.inv(base_from_camera)
