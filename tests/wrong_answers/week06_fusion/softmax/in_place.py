# says: your function writes into the logits that it was given
import torch


def look(logits, mask):
    """Softmax where the mask is true, 0 elsewhere: (B, Q, N), (B, Q, N) or (B, 1, N) to (B, Q, N)."""
    logits[~mask.expand_as(logits)] = torch.finfo(logits.dtype).min
    return logits.softmax(-1) * mask
