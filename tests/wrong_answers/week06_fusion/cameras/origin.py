# says: a camera at which nobody looks: its place is the middle of the picture, 0.5 and 0.5
import torch


def where(weights, grids):
    """What each of K cameras gets of the attention, and where in it: (B, N), K pairs to (B, K) and (B, K, 2)."""
    shares, places = [], []
    for part, (rows, columns) in zip(weights.split([r * c for r, c in grids], dim=1), grids):
        share = part.sum(1)
        cells = part.unflatten(1, (rows, columns))
        u = (cells.sum(1) * (torch.arange(columns) + 0.5) / columns).sum(1)
        v = (cells.sum(2) * (torch.arange(rows) + 0.5) / rows).sum(1)
        place = torch.stack([u, v], dim=1) / share.clamp(min=1e-12)[:, None]
        shares.append(share)
        places.append(place)
    return torch.stack(shares, dim=1), torch.stack(places, dim=1)
