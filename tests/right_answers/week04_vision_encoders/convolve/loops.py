import torch
from torch.nn import functional as F


def convolve(pictures, filters, bias, stride, padding):
    """Convolution: (B, C, H, W), (O, C, k, l), (O,), int, int to (B, O, h, w)."""
    padded = F.pad(pictures, (padding,) * 4)
    answers = []
    for picture in padded:
        for kernel, shift in zip(filters, bias, strict=True):
            tall, wide = kernel.shape[1:]
            answers.append(
                [
                    [
                        (picture[:, v : v + tall, u : u + wide] * kernel).sum() + shift
                        for u in range(0, picture.shape[2] - wide + 1, stride)
                    ]
                    for v in range(0, picture.shape[1] - tall + 1, stride)
                ]
            )
    height, width = len(answers[0]), len(answers[0][0])
    return torch.tensor(answers, dtype=pictures.dtype).view(len(pictures), len(filters), height, width)
