import numpy as np
import torch


def split(x, heads):
    """Features among the heads: (B, N, C), int to (B, heads, N, C / heads)."""
    parts = x.detach().numpy().reshape(*x.shape[:2], heads, -1)
    return torch.from_numpy(np.ascontiguousarray(np.swapaxes(parts, 1, 2)))


def merge(x):
    """The heads side by side again: (B, heads, N, d) to (B, N, heads * d)."""
    return torch.einsum("bhnd->bnhd", x).reshape(x.shape[0], x.shape[2], -1)
