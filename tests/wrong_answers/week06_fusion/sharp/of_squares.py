# says: one over the sum of squares counts cells in another way; here it is e to the entropy
import torch


def temperature(logits, cells):
    """The t (B,) at which softmax(logits / t) looks at so many cells: (B, N), float."""
    low, high = torch.full((2, len(logits)), 0.0, dtype=torch.float64)
    low, high = low - 12, high + 12  # of ln t
    for _ in range(80):
        middle = (low + high) / 2
        weights = (logits.double() / middle.exp()[:, None]).softmax(-1)
        found = 1 / (weights**2).sum(-1)
        low = torch.where(found < cells, middle, low)  # too few cells: warmer
        high = torch.where(found < cells, high, middle)
    return ((low + high) / 2).exp()
