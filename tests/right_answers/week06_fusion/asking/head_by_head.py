import torch
from torch import nn


class Asking(nn.Module):
    """Queries (B, Q, C) ask tokens (B, N, C): attention with heads and a mask."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def forward(self, queries, tokens, mask=None):
        """Answers (B, Q, C) and logits (B, heads, Q, N)."""
        asked, offered, said = self.query(queries), self.key(tokens), self.value(tokens)
        size, answers, logits = asked.shape[-1] // self.heads, [], []
        for h in range(self.heads):
            part = slice(h * size, (h + 1) * size)
            fits = torch.einsum("bqc,bnc->bqn", asked[..., part], offered[..., part]) * size**-0.5
            if mask is not None:
                fits = torch.where(mask, fits, -torch.inf)
            logits.append(fits)
            answers.append(torch.einsum("bqn,bnc->bqc", fits.softmax(-1), said[..., part]))
        return self.output(torch.cat(answers, -1)), torch.stack(logits, 1)
