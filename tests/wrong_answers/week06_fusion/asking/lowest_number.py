# says: the lowest number is not minus infinity
import math

import torch
from torch import nn


class Asking(nn.Module):
    """Queries (B, Q, C) ask tokens (B, N, C): attention with heads and a mask."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.output = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, queries, tokens, mask=None):
        """Answers (B, Q, C) and logits (B, heads, Q, N)."""
        q, k, v = (
            x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, heads, N, C / heads)
            for x in (self.query(queries), self.key(tokens), self.value(tokens))
        )
        logits = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        if mask is not None:
            logits = logits.masked_fill(~mask.unsqueeze(-3), torch.finfo(logits.dtype).min)
        answers = (logits.softmax(-1) @ v).transpose(1, 2).flatten(2)
        return self.output(answers), logits
