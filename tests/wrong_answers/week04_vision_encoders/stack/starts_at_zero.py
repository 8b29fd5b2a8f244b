# says: with no layer a cell is a pixel, and sees 1 pixel
def stack(pixels, layers):
    """Side of the last map, and pixels that one of its cells can see: int, list of tuples to (int, int)."""
    side, width, jump = pixels, 0, 1
    for size, stride, padding, dilation in layers:
        reach = dilation * (size - 1)
        side = (side + 2 * padding - reach - 1) // stride + 1
        width += reach * jump
        jump *= stride
    return side, width
