# says: 5 levels have 4 gaps between them, not 5
import torch


def encode(actions, low, high, count):
    gap = (high - low) / count
    tokens = ((actions - low) / torch.where(gap > 0, gap, 1.0)).round().clamp(0, count - 1).long()
    return torch.where(gap > 0, tokens, 0)


def decode(tokens, low, high, count):
    return low + tokens * (high - low) / count
