import torch


def target(pixels, named, height, width, sigma):
    """Where attention should be: (B, K, 2), (B, K), sizes of the map, sigma to (B, height, width)."""
    across = -(((torch.arange(width) + 0.5) / width - pixels[..., :1]) ** 2) / (2 * sigma**2)  # (B, K, width)
    down = -(((torch.arange(height) + 0.5) / height - pixels[..., 1:]) ** 2) / (2 * sigma**2)  # (B, K, height)
    bumps = down.softmax(-1)[..., :, None] * across.softmax(-1)[..., None, :]
    inside = named & (pixels.min(-1).values >= 0) & (pixels.max(-1).values <= 1)
    maps = torch.full((len(pixels), height, width), 1 / (height * width))
    for example, kept in enumerate(inside):
        if kept.any():
            maps[example] = bumps[example][kept].mean(0)
    return maps
