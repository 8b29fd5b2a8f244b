# says: padding is looked at: fill its fits with minus infinity
import math

import torch


def attend(q, k, v, mask, heads):
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    fits = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    weights = fits.softmax(-1)
    answers = (weights @ v).transpose(1, 2).flatten(2)
    return answers * mask.unsqueeze(-1), weights
