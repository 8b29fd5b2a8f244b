# says: the cameras have different numbers of cells: cut the row by rows times columns
import torch


def where(weights, grids):
    """What each of K cameras gets of the attention, and where in it: (B, N), K pairs to (B, K) and (B, K, 2)."""
    shares, places = [], []
    for part, (rows, columns) in zip(weights.chunk(len(grids), dim=1), grids):
        share = part.sum(1)
        centers = torch.linspace(0, 1, part.shape[1])
        place = torch.stack([(part * centers).sum(1)] * 2, dim=1) / share.clamp(min=1e-12)[:, None]
        shares.append(share)
        places.append(torch.where(share[:, None] > 0, place, 0.5))
    return torch.stack(shares, dim=1), torch.stack(places, dim=1)
