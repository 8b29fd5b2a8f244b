# says: rows first: the height is the number of rows
import numpy as np


def crop(sample, top, left, height, width):
    rows, columns = slice(top, top + width), slice(left, left + height)
    size = np.array(sample["depth"].shape[::-1])  # width and height of the whole picture
    pixel = (sample["target_pixel"] * size - [left, top]) / [width, height]
    return {
        **{key: sample[key][rows, columns].copy() for key in ("image", "depth", "mask")},
        "target_pixel": pixel,
        "center": sample["center"] - [left, top],
        "visible": bool(((pixel >= 0) & (pixel < 1)).all()),
    }
