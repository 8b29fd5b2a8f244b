# says: a layer adds one cell less than its filter has: size - 1
def stack(pixels, layers):
    """Side of the last map, and pixels that one of its cells can see: int, list of tuples to (int, int)."""
    side, width, jump = pixels, 1, 1
    for size, stride, padding, dilation in layers:
        reach = dilation * (size - 1)
        side = (side + 2 * padding - reach - 1) // stride + 1
        width += (reach + 1) * jump
        jump *= stride
    return side, width
