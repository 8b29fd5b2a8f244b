import torch
from torch.nn import functional as F


def film(maps, questions, weight, bias):
    """Maps, as each question sees them: (B, C, h, w), (B, Q, K), (2 * C, K), (2 * C,) to (B, Q, C, h, w)."""
    both = F.linear(questions, weight, bias).unflatten(-1, (2, -1))  # (B, Q, 2, C)
    scaled = torch.einsum("bchw,bqc->bqchw", maps, 1 + both[:, :, 0])
    return scaled + both[:, :, 1].unsqueeze(-1).unsqueeze(-1)
