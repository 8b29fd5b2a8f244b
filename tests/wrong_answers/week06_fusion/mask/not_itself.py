# says: a readout looks at itself
import torch


def who_may_look(sizes, readouts, present):
    """Block-causal, with readouts behind each block: two lists of K numbers, (B, T) to (B, T, T)."""
    block = torch.tensor([k for k, (n, r) in enumerate(zip(sizes, readouts)) for _ in range(n + r)])
    reads = torch.tensor([i >= n for n, r in zip(sizes, readouts) for i in range(n + r)])
    looks = (block[None, :] <= block[:, None]) & ~reads[None, :]  # row looks at column
    both = present[:, :, None] & present[:, None, :]  # (B, T, T)
    return (looks & both) | (torch.eye(len(block), dtype=torch.bool) & ~reads)
