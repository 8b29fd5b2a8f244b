import torch


def where(weights, grids):
    """What each of K cameras gets of the attention, and where in it: (B, N), K pairs to (B, K) and (B, K, 2)."""
    shares, places = [], []
    for row in weights.tolist():
        start, shares_of_one, places_of_one = 0, [], []
        for rows, columns in grids:
            part = row[start : start + rows * columns]
            start, share = start + rows * columns, sum(part)
            u = sum(w * (n % columns + 0.5) / columns for n, w in enumerate(part))
            v = sum(w * (n // columns + 0.5) / rows for n, w in enumerate(part))
            shares_of_one.append(share)
            places_of_one.append([u / share, v / share] if share else [0.5, 0.5])
        shares.append(shares_of_one)
        places.append(places_of_one)
    return torch.tensor(shares), torch.tensor(places)
