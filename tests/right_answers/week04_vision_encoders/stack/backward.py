import math


def stack(pixels, layers):
    """Side of the last map, and pixels that one of its cells can see: int, list of tuples to (int, int)."""
    side = pixels
    for size, stride, padding, dilation in layers:
        side = math.floor((side + 2 * padding - dilation * (size - 1) - 1) / stride) + 1
    cells = 1
    for size, stride, _, dilation in reversed(list(layers)):
        cells = (cells - 1) * stride + dilation * (size - 1) + 1
    return side, cells
