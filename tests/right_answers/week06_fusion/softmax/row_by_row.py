import numpy as np
import torch


def look(logits, mask):
    """Softmax where the mask is true, 0 elsewhere: (B, Q, N), (B, Q, N) or (B, 1, N) to (B, Q, N)."""
    weights = torch.zeros_like(logits)
    allowed = mask.expand_as(logits)
    for index in np.ndindex(*logits.shape[:-1]):
        if allowed[index].any():
            weights[index][allowed[index]] = logits[index][allowed[index]].softmax(-1)
    return weights
