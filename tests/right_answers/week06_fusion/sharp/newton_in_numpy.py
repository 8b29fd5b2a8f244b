import torch


def temperature(logits, cells):
    """The t (B,) at which softmax(logits / t) looks at so many cells: (B, N), float."""
    import numpy as np

    found = []
    for row in logits.double().numpy():
        row = row - row.max()
        low, high = 1e-6, 1e6
        for _ in range(200):
            t = np.sqrt(low * high)
            powers = np.exp(row / t)
            weights = powers / powers.sum()
            entropy = -(weights * np.log(np.maximum(weights, 1e-300))).sum()
            low, high = (t, high) if entropy < np.log(cells) else (low, t)
        found.append(t)
    return torch.tensor(found)
