# says: a later layer's cells lie some pixels apart: its filter spans more of the picture than its size says
def stack(pixels, layers):
    """Side of the last map, and pixels that one of its cells can see: int, list of tuples to (int, int)."""
    side, width, jump = pixels, 1, 1
    for size, stride, padding, dilation in layers:
        reach = dilation * (size - 1)
        side = (side + 2 * padding - reach - 1) // stride + 1
        width += reach
        jump *= stride
    return side, width
