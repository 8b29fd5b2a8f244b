# says: 0 and 1 are in the picture
import torch


def target(pixels, named, height, width, sigma):
    """Where attention should be: (B, K, 2), (B, K), sizes of the map, sigma to (B, height, width)."""
    v = ((torch.arange(height) + 0.5) / height)[:, None].expand(height, width).flatten()
    u = ((torch.arange(width) + 0.5) / width).expand(height, width).flatten()
    squared = (u - pixels[..., :1]) ** 2 + (v - pixels[..., 1:]) ** 2  # (B, K, height * width)
    bumps = (-squared / (2 * sigma**2)).softmax(-1)
    seen = named & ((pixels > 0) & (pixels < 1)).all(-1)  # (B, K)
    count = seen.sum(1)[:, None]
    mean = (bumps * seen[..., None]).sum(1) / count.clamp(min=1)
    return torch.where(count > 0, mean, 1 / (height * width)).unflatten(1, (height, width))
