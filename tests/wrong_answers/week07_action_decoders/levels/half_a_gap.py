# says: level 0 is the lowest value itself: nothing is added
import torch


def encode(actions, low, high, count):
    gap = (high - low) / (count - 1)
    tokens = ((actions - low) / torch.where(gap > 0, gap, 1.0)).round().clamp(0, count - 1).long()
    return torch.where(gap > 0, tokens, 0)


def decode(tokens, low, high, count):
    return low + (tokens + 0.5) * (high - low) / (count - 1)
