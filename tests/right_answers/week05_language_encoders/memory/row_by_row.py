import numpy as np
import torch


def step(x, h, word, weights):
    W_i, b_i, W_h, b_h = (weights[name].double().numpy() for name in ("W_i", "b_i", "W_h", "b_h"))
    size = h.shape[1]
    rows = []
    for one, old, is_word in zip(x.double().numpy(), h.double().numpy(), word.tolist(), strict=True):
        if not is_word:
            rows.append(old)
            continue
        a, b = W_i @ one + b_i, W_h @ old + b_h
        r = 1 / (1 + np.exp(-(a[:size] + b[:size])))
        z = 1 / (1 + np.exp(-(a[size : 2 * size] + b[size : 2 * size])))
        n = np.tanh(a[2 * size :] + r * b[2 * size :])
        rows.append((1 - z) * n + z * old)
    return torch.tensor(np.array(rows), dtype=torch.float32)
