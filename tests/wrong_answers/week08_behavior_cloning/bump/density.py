# says: a density is no share
import torch


def bump(pixel, height, width, sigma=0.04):
    v = (torch.arange(height) + 0.5) / height
    u = (torch.arange(width) + 0.5) / width
    down = (v[None, :, None] - pixel[:, 1, None, None]) ** 2
    across = (u[None, None, :] - pixel[:, 0, None, None]) ** 2
    return (-(down + across) / (2 * sigma**2)).exp() / (2 * torch.pi * sigma**2)
