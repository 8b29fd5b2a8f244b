# says: the search stops too early: halve until the fifth digit no longer moves
import torch


def temperature(logits, cells):
    """The t (B,) at which softmax(logits / t) looks at so many cells: (B, N), float."""
    low, high = torch.full((2, len(logits)), 0.0, dtype=torch.float64)
    low, high = low - 12, high + 12  # of ln t
    for _ in range(10):
        middle = (low + high) / 2
        weights = (logits.double() / middle.exp()[:, None]).softmax(-1)
        found = torch.special.entr(weights).sum(-1).exp()
        low = torch.where(found < cells, middle, low)  # too few cells: warmer
        high = torch.where(found < cells, high, middle)
    return ((low + high) / 2).exp()
