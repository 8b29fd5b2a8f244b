# says: the jump is that of the layers before: first the width, then the jump
def stack(pixels, layers):
    """Side of the last map, and pixels that one of its cells can see: int, list of tuples to (int, int)."""
    side, width, jump = pixels, 1, 1
    for size, stride, padding, dilation in layers:
        reach = dilation * (size - 1)
        side = (side + 2 * padding - reach - 1) // stride + 1
        jump *= stride
        width += reach * jump
    return side, width
