# says: the weights no longer sum to 1: mask before the softmax


def look(logits, mask):
    """Softmax where the mask is true, 0 elsewhere: (B, Q, N), (B, Q, N) or (B, 1, N) to (B, Q, N)."""
    return logits.softmax(-1) * mask
