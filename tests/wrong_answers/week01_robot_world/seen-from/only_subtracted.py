# says: the axes of the camera are not those of the base
import numpy as np


def seen_from(base_from_camera, base_from_object):
    pose = base_from_object.copy()
    pose[:3, 3] -= base_from_camera[:3, 3]
    return pose
