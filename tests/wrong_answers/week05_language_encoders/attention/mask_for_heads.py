# says: the mask of an example became the mask of a head
import math


def attend(q, k, v, mask, heads):
    """Answers (B, L, C), zeros in the padding, and where each word looked (B, heads, L, L)."""
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))  # (B, heads, L, C / heads)
    fits = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    weights = fits.masked_fill(~mask[:, None], -math.inf).softmax(-1)
    answers = (weights @ v).transpose(1, 2).flatten(2)
    return answers * mask.unsqueeze(-1), weights
