# says: first all gammas, then all betas; not in turns
import torch


def film(maps, questions, weight, bias):
    """Maps, as each question sees them: (B, C, h, w), (B, Q, K), (2 * C, K), (2 * C,) to (B, Q, C, h, w)."""
    both = (questions @ weight.T + bias)[..., None, None]
    gamma, beta = both[:, :, ::2], both[:, :, 1::2]  # (B, Q, C, 1, 1) each
    return (1 + gamma) * maps[:, None] + beta
