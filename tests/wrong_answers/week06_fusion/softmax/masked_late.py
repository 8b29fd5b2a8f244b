# says: mask first, then subtract the largest


def look(logits, mask):
    """Softmax where the mask is true, 0 elsewhere: (B, Q, N), (B, Q, N) or (B, 1, N) to (B, Q, N)."""
    powers = (logits - logits.max(-1, keepdim=True).values).exp() * mask
    return powers / powers.sum(-1, keepdim=True).clamp(min=1e-30)
