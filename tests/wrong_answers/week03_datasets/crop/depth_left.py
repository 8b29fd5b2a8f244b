# says: the depth stays behind
import numpy as np


def crop(sample, top, left, height, width):
    rows, columns = slice(top, top + height), slice(left, left + width)
    size = np.array(sample["depth"].shape[::-1])  # width and height of the whole picture
    pixel = (sample["target_pixel"] * size - [left, top]) / [width, height]
    return {
        **{key: sample[key][rows, columns].copy() for key in ("image", "mask")},
        "depth": sample["depth"].copy(),
        "target_pixel": pixel,
        "center": sample["center"] - [left, top],
        "visible": bool(((pixel >= 0) & (pixel < 1)).all()),
    }
