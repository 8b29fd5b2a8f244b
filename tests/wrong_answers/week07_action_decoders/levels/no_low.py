# says: levels are counted from low, not from 0
import torch


def encode(actions, low, high, count):
    gap = (high - low) / (count - 1)
    tokens = ((actions - low) / torch.where(gap > 0, gap, 1.0)).round().clamp(0, count - 1).long()
    return torch.where(gap > 0, tokens, 0)


def decode(tokens, low, high, count):
    return tokens * (high - low) / (count - 1)
