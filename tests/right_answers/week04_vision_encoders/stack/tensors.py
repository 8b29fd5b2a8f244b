import torch


def stack(pixels, layers):
    """Side of the last map, and pixels that one of its cells can see: int, list of tuples to (int, int)."""
    side, width, jump = torch.tensor(pixels), torch.tensor(1), torch.tensor(1)
    for size, stride, padding, dilation in layers:
        side = torch.div(side + 2 * padding - dilation * (size - 1) - 1, stride, rounding_mode="floor") + 1
        width = width + dilation * (size - 1) * jump
        jump = jump * stride
    return int(side), int(width)
