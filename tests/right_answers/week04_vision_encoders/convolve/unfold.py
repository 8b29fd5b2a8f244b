from torch.nn import functional as F


def convolve(pictures, filters, bias, stride, padding):
    """Convolution: (B, C, H, W), (O, C, k, l), (O,), int, int to (B, O, h, w)."""
    windows = F.unfold(pictures.double(), filters.shape[2:], stride=stride, padding=padding)  # (B, C * k * l, P)
    answer = filters.double().flatten(1) @ windows + bias.double()[:, None]
    wide = (pictures.shape[3] + 2 * padding - filters.shape[3]) // stride + 1
    return answer.unflatten(2, (-1, wide)).to(pictures.dtype)
