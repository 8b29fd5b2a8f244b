# says: not a number that is only low


def strongest(tokens, visible, sentence, weight, bias):
    """FiLM, then the strongest visible token of each feature: its value (B, C), and which it was (B, C)."""
    gamma, beta = (sentence @ weight.T + bias)[:, None].chunk(2, dim=2)  # (B, 1, C) each
    features = (1 + gamma) * tokens + beta
    features = features.masked_fill(~visible[..., None], -100.0)
    value, which = features.max(1)
    return value, which
