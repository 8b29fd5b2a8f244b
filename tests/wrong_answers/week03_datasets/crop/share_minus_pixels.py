# says: make pixels of it first
def crop(sample, top, left, height, width):
    rows, columns = slice(top, top + height), slice(left, left + width)
    pixel = (sample["target_pixel"] - [left, top]) / [width, height]
    return {
        **{key: sample[key][rows, columns].copy() for key in ("image", "depth", "mask")},
        "target_pixel": pixel,
        "center": sample["center"] - [left, top],
        "visible": bool(((pixel >= 0) & (pixel < 1)).all()),
    }
