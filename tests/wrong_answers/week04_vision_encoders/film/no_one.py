# says: 1 + gamma, not gamma: with weight and bias 0 the map must come through as it is
import torch


def film(maps, questions, weight, bias):
    """Maps, as each question sees them: (B, C, h, w), (B, Q, K), (2 * C, K), (2 * C,) to (B, Q, C, h, w)."""
    gamma, beta = (questions @ weight.T + bias)[..., None, None].chunk(2, dim=2)  # (B, Q, C, 1, 1) each
    return gamma * maps[:, None] + beta
