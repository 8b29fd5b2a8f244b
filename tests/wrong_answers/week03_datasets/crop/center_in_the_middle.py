# says: the camera's axis does not go through the middle of a crop
import numpy as np


def crop(sample, top, left, height, width):
    rows, columns = slice(top, top + height), slice(left, left + width)
    size = np.array(sample["depth"].shape[::-1])  # width and height of the whole picture
    pixel = (sample["target_pixel"] * size - [left, top]) / [width, height]
    return {
        **{key: sample[key][rows, columns].copy() for key in ("image", "depth", "mask")},
        "target_pixel": pixel,
        "center": np.array([width, height]) / 2,
        "visible": bool(((pixel >= 0) & (pixel < 1)).all()),
    }
