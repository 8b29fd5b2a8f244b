# says: tokens of one block look at each other freely: blocks are in order of time, not tokens
import torch


def who_may_look(sizes, readouts, present):
    """Block-causal, with readouts behind each block: two lists of K numbers, (B, T) to (B, T, T)."""
    block = torch.tensor([k for k, (n, r) in enumerate(zip(sizes, readouts)) for _ in range(n + r)])
    reads = torch.tensor([i >= n for n, r in zip(sizes, readouts) for i in range(n + r)])
    looks = torch.ones(len(block), len(block), dtype=torch.bool).tril() & ~reads[None, :]  # row looks at column
    both = present[:, :, None] & present[:, None, :]  # (B, T, T)
    return (looks & both) | torch.eye(len(block), dtype=torch.bool)
