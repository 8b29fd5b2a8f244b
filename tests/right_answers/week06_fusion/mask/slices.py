import torch


def who_may_look(sizes, readouts, present):
    """Block-causal, with readouts behind each block: two lists of K numbers, (B, T) to (B, T, T)."""
    total = sum(sizes) + sum(readouts)
    table = torch.zeros(total, total, dtype=torch.bool)
    start = 0
    for size, more in zip(sizes, readouts, strict=True):
        table[start:, start : start + size] = True  # this block's tokens are seen from here on
        start += size + more
    table = table & present[:, None] & present[..., None]
    index = torch.arange(total)
    table[:, index, index] = True
    return table
