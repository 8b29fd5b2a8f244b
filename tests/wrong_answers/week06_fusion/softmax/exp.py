# says: e to the 3000 is infinity: subtract the largest logit of each row first, or use softmax


def look(logits, mask):
    """Softmax where the mask is true, 0 elsewhere: (B, Q, N), (B, Q, N) or (B, 1, N) to (B, Q, N)."""
    powers = logits.exp() * mask
    return powers / powers.sum(-1, keepdim=True).clamp(min=1e-30)
