import torch


def place(scores, radius):
    """Where a map peaks, and the share of its weight there: (B, h, w), int to (B, 2) and (B,)."""
    places, shares = [], []
    for one in scores.double():
        height, width = one.shape
        i, j = divmod(int(one.argmax()), width)
        rows, columns = slice(max(0, i - radius), i + radius + 1), slice(max(0, j - radius), j + radius + 1)
        window = one[rows, columns]
        weights = window.flatten().softmax(0).view_as(window)
        u = (torch.arange(width) + 0.5)[columns] / width
        v = (torch.arange(height) + 0.5)[rows] / height
        places.append([float((weights.sum(0) * u).sum()), float((weights.sum(1) * v).sum())])
        shares.append(float(one.flatten().softmax(0).view_as(one)[rows, columns].sum()))
    return torch.tensor(places), torch.tensor(shares)
