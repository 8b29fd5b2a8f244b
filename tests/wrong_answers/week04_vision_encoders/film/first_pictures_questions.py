# says: each picture has questions of its own
import torch


def film(maps, questions, weight, bias):
    """Maps, as each question sees them: (B, C, h, w), (B, Q, K), (2 * C, K), (2 * C,) to (B, Q, C, h, w)."""
    questions = questions[:1].expand_as(questions)

    gamma, beta = (questions @ weight.T + bias)[..., None, None].chunk(2, dim=2)  # (B, Q, C, 1, 1) each
    return (1 + gamma) * maps[:, None] + beta
