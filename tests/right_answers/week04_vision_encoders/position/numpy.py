import numpy as np
import torch


def position(points, features):
    """Positions of points: (N, 2), int to (N, features)."""
    half, rows = features // 2, []
    for u, v in np.asarray(points, dtype=np.float64):
        row = []
        for value in (u, v):
            angles = [value / 10000 ** (2 * i / half) for i in range(half // 2)]
            row += [np.sin(a) for a in angles] + [np.cos(a) for a in angles]
        rows.append(row)
    return torch.tensor(rows, dtype=torch.float32)
