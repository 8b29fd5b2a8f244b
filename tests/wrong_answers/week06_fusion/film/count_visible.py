# says: which counts all tokens, the hidden ones too
import torch


def strongest(tokens, visible, sentence, weight, bias):
    """FiLM, then the strongest visible token of each feature: its value (B, C), and which it was (B, C)."""
    gamma, beta = (sentence @ weight.T + bias)[:, None].chunk(2, dim=2)
    features = (1 + gamma) * tokens + beta
    found = [one[seen].max(0) for one, seen in zip(features, visible)]
    return torch.stack([f.values for f in found]), torch.stack([f.indices for f in found])
