import numpy as np


def crop(sample, top, left, height, width):
    part = {}
    for key in ("image", "depth", "mask"):
        part[key] = np.array([row[left : left + width] for row in sample[key][top:][:height]])
    rows, columns = sample["mask"].shape
    u = (float(sample["target_pixel"][0]) * columns - left) / width
    v = (float(sample["target_pixel"][1]) * rows - top) / height
    x, y = sample["center"]
    seen = 0 <= u < 1 and 0 <= v < 1
    return part | {"target_pixel": np.array([u, v]), "center": [x - left, y - top], "visible": seen}
