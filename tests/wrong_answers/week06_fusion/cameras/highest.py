# says: the place is the mean of the centers, each with its weight, and not the highest cell
import torch


def where(weights, grids):
    """What each of K cameras gets of the attention, and where in it: (B, N), K pairs to (B, K) and (B, K, 2)."""
    shares, places = [], []
    for part, (rows, columns) in zip(weights.split([r * c for r, c in grids], dim=1), grids):
        share = part.sum(1)
        cells = part.unflatten(1, (rows, columns))
        best = part.argmax(1)
        place = torch.stack([(best % columns + 0.5) / columns, (best // columns + 0.5) / rows], dim=1)
        shares.append(share)
        places.append(torch.where(share[:, None] > 0, place, 0.5))
    return torch.stack(shares, dim=1), torch.stack(places, dim=1)
