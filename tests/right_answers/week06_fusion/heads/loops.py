import torch


def split(x, heads):
    """Features among the heads: (B, N, C), int to (B, heads, N, C / heads)."""
    size = x.shape[-1] // heads
    return torch.stack([x[:, :, h * size : (h + 1) * size] for h in range(heads)], dim=1)


def merge(x):
    """The heads side by side again: (B, heads, N, d) to (B, N, heads * d)."""
    return torch.cat(list(x.unbind(1)), dim=-1)
