"""Fusion by cross-attention: the sentence asks, the picture answers."""

import torch
from torch import Tensor, nn


class CrossAttention(nn.Module):
    """Multi-head attention of sentence queries over picture tokens (Vaswani et al. 2017, section 3.2).

    Args:
        width: features of queries, keys and values; divisible by `heads`.
        heads: attention maps that are computed side by side.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def forward(self, queries: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Attend.

        Args:
            queries: (B, Q, C), what is asked.
            tokens: (B, N, C), what is looked at.

        Returns:
            The answers (B, Q, C), and the attention's logits (B, heads, Q, N); their softmax over
            N is where it looked.
        """
        q, k, v = (self._split(x) for x in (self.query(queries), self.key(tokens), self.value(tokens)))
        logits = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5  # (B, heads, Q, N)
        mixed = logits.softmax(-1) @ v  # (B, heads, Q, C / heads)
        return self.output(mixed.transpose(1, 2).flatten(2)), logits

    def _split(self, x: Tensor) -> Tensor:
        """(B, N, C) to (B, heads, N, C / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def grid_centers(height: int, width: int, device: torch.device) -> Tensor:
    """Centers of the cells of a map, row by row: (H * W, 2) u and v, each 0 to 1."""
    v, u = torch.meshgrid(
        (torch.arange(height, device=device) + 0.5) / height,
        (torch.arange(width, device=device) + 0.5) / width,
        indexing="ij",
    )
    return torch.stack([u, v], -1).flatten(0, 1)
