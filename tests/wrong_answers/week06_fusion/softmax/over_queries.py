# says: the softmax goes over the tokens that are looked at, the last axis
import torch


def look(logits, mask):
    """Softmax where the mask is true, 0 elsewhere: (B, Q, N), (B, Q, N) or (B, 1, N) to (B, Q, N)."""
    return logits.masked_fill(~mask, torch.finfo(logits.dtype).min).softmax(-2) * mask
