# says: your function changes the sample that it was given
import numpy as np


def crop(sample, top, left, height, width):
    size = np.array(sample["depth"].shape[::-1])
    part = dict(sample)
    for key in ("image", "depth", "mask"):
        part[key] = sample[key][top : top + height, left : left + width]
    part["target_pixel"] = pixel = (sample["target_pixel"] * size - [left, top]) / [width, height]
    part["center"] -= [left, top]
    part["visible"] = bool(((pixel >= 0) & (pixel < 1)).all())
    return part
