# says: where nothing may be looked at, all weights are 0
import torch


def look(logits, mask):
    """Softmax where the mask is true, 0 elsewhere: (B, Q, N), (B, Q, N) or (B, 1, N) to (B, Q, N)."""
    return logits.masked_fill(~mask, torch.finfo(logits.dtype).min).softmax(-1)
