# says: the strongest *token* of each feature: the maximum goes over the tokens
import math


def strongest(tokens, visible, sentence, weight, bias):
    """FiLM, then the strongest visible token of each feature: its value (B, C), and which it was (B, C)."""
    gamma, beta = (sentence @ weight.T + bias)[:, None].chunk(2, dim=2)
    features = ((1 + gamma) * tokens + beta).masked_fill(~visible[..., None], -math.inf)
    return features.max(2)
