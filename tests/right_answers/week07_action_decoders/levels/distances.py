import torch


def encode(actions, low, high, count):
    levels = low + torch.arange(count).unsqueeze(-1) / (count - 1) * (high - low)  # (count, A)
    return (actions.unsqueeze(-2) - levels).abs().argmin(-2)


def decode(tokens, low, high, count):
    share = tokens / (count - 1)
    return (1 - share) * low + share * high
