# says: @ is the product of matrices
import numpy as np


def seen_from(base_from_camera, base_from_object):
    return np.linalg.inv(base_from_camera) * base_from_object
