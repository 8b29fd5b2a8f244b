# says: each head has its own part of the features, here two of four
import math

import torch


def attend(q, k, v, mask, heads):
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    fits = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    weights = fits.masked_fill(~mask[:, None, None], -math.inf).softmax(-1)
    fits = (q.transpose(1, 2).flatten(2) @ k.transpose(1, 2).flatten(2).transpose(1, 2)) / math.sqrt(
        q.shape[-1] * heads
    )
    weights = fits.masked_fill(~mask[:, None], -math.inf).softmax(-1)[:, None].expand(-1, heads, -1, -1)
    answers = (weights @ v).transpose(1, 2).flatten(2)
    return answers * mask.unsqueeze(-1), weights
