import torch


def where(weights, grids):
    """What each of K cameras gets of the attention, and where in it: (B, N), K pairs to (B, K) and (B, K, 2)."""
    centers, owner = [], []
    for camera, (rows, columns) in enumerate(grids):
        for row in range(rows):
            for column in range(columns):
                centers.append([(column + 0.5) / columns, (row + 0.5) / rows])
                owner.append(camera)
    belongs = torch.nn.functional.one_hot(torch.tensor(owner), len(grids)).to(weights.dtype)  # (N, K)
    shares = weights @ belongs
    sums = torch.einsum("bn,nk,nc->bkc", weights, belongs, torch.tensor(centers, dtype=weights.dtype))
    places = sums / torch.where(shares > 0, shares, 1)[..., None]
    return shares, torch.where(shares[..., None] > 0, places, 0.5)
