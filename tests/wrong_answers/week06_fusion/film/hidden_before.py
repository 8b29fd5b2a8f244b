# says: a token that is 0 before FiLM is still beta after it: hide it last


def strongest(tokens, visible, sentence, weight, bias):
    """FiLM, then the strongest visible token of each feature: its value (B, C), and which it was (B, C)."""
    gamma, beta = (sentence @ weight.T + bias)[:, None].chunk(2, dim=2)  # (B, 1, C) each
    tokens = tokens.masked_fill(~visible[..., None], 0.0)
    features = (1 + gamma) * tokens + beta
    return features.max(1)
