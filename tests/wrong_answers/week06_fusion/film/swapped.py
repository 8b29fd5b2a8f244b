# says: the first C outputs are gamma, the others beta
import math


def strongest(tokens, visible, sentence, weight, bias):
    """FiLM, then the strongest visible token of each feature: its value (B, C), and which it was (B, C)."""
    beta, gamma = (sentence @ weight.T + bias)[:, None].chunk(2, dim=2)  # (B, 1, C) each
    features = (1 + gamma) * tokens + beta
    features = features.masked_fill(~visible[..., None], -math.inf)
    return features.max(1)
