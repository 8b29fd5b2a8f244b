# says: -10000 is not minus infinity: a logit that counts can be lower


def look(logits, mask):
    """Softmax where the mask is true, 0 elsewhere: (B, Q, N), (B, Q, N) or (B, 1, N) to (B, Q, N)."""
    return logits.masked_fill(~mask, -1e4).softmax(-1) * mask
