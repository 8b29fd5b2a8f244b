# says: each column has a range of its own
import torch


def encode(actions, low, high, count):
    gap = (high[0] - low[0]) / (count - 1)
    tokens = ((actions - low[0]) / gap).round().clamp(0, count - 1).long()
    return torch.where(high > low, tokens, 0)


def decode(tokens, low, high, count):
    return low + tokens * (high - low) / (count - 1)
