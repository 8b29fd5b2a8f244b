# says: only a rotation is inverted by its transpose
def seen_from(base_from_camera, base_from_object):
    return base_from_camera.T @ base_from_object
