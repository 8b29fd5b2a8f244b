# says: a row of minus infinities has no softmax: 0 divided by 0 is not a number
import torch


def look(logits, mask):
    """Softmax where the mask is true, 0 elsewhere: (B, Q, N), (B, Q, N) or (B, 1, N) to (B, Q, N)."""
    return logits.masked_fill(~mask, -torch.inf).softmax(-1)
