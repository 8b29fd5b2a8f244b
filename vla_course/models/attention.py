"""Attention: queries ask, tokens answer."""

import torch
from torch import Tensor, nn

from vla_course.errors import CourseError


class CrossAttention(nn.Module):
    """Multi-head attention of queries over tokens (Vaswani et al. 2017, section 3.2).

    Self-attention is the same with the tokens as their own queries.

    Args:
        width: features of queries, keys and values; divisible by `heads`.
        heads: attention maps that are computed side by side.

    Raises:
        CourseError: `heads` does not divide `width`.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        if width % heads:
            raise CourseError(f"attention: {heads} heads cannot share {width} features; choose a width they divide")
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def forward(self, queries: Tensor, tokens: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Attend.

        Args:
            queries: (B, Q, C), what is asked.
            tokens: (B, N, C), what is looked at.
            mask: bool, true where a query may look: (Q, N), (B, Q, N), or (B, 1, N) for padding. Each query must
                have a token to look at. None: every query looks at every token.

        Returns:
            The answers (B, Q, C), and the attention's logits (B, heads, Q, N), minus infinity where a query
            may not look; their softmax over N is where it looked.
        """
        q, k, v = (self._split(x) for x in (self.query(queries), self.key(tokens), self.value(tokens)))
        logits = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5  # (B, heads, Q, N)
        if mask is not None:
            logits = logits.masked_fill(~mask.unsqueeze(-3), -torch.inf)  # one mask for all heads
        mixed = logits.softmax(-1) @ v  # (B, heads, Q, C / heads)
        return self.output(mixed.transpose(1, 2).flatten(2)), logits

    def _split(self, x: Tensor) -> Tensor:
        """(B, N, C) to (B, heads, N, C / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)
