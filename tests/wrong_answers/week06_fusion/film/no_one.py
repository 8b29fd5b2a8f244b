# says: 1 + gamma, not gamma: with weight and bias 0 the tokens must come through as they are
import math


def strongest(tokens, visible, sentence, weight, bias):
    """FiLM, then the strongest visible token of each feature: its value (B, C), and which it was (B, C)."""
    gamma, beta = (sentence @ weight.T + bias)[:, None].chunk(2, dim=2)  # (B, 1, C) each
    features = gamma * tokens + beta
    features = features.masked_fill(~visible[..., None], -math.inf)
    return features.max(1)
