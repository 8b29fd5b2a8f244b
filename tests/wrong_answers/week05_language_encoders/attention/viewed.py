# says: the words are mixed up: cut the features first, then exchange words and heads
import math

import torch


def attend(q, k, v, mask, heads):
    q, k, v = (x.reshape(len(x), heads, x.shape[1], -1) for x in (q, k, v))
    fits = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    weights = fits.masked_fill(~mask[:, None, None], -math.inf).softmax(-1)
    answers = (weights @ v).transpose(1, 2).flatten(2)
    return answers * mask.unsqueeze(-1), weights
