# says: this is the level below; the nearest one is wanted
import torch


def encode(actions, low, high, count):
    gap = (high - low) / (count - 1)
    tokens = ((actions - low) / torch.where(gap > 0, gap, 1.0)).clamp(0, count - 1).long()
    return torch.where(gap > 0, tokens, 0)


def decode(tokens, low, high, count):
    return low + tokens * (high - low) / (count - 1)
