# says: r multiplies W_hn h + b_hn, not h
import torch


def step(x, h, word, weights):
    ri, zi, ni = (x @ weights["W_i"].T + weights["b_i"]).chunk(3, dim=1)
    rh, zh, nh = (h @ weights["W_h"].T + weights["b_h"]).chunk(3, dim=1)
    r, z = torch.sigmoid(ri + rh), torch.sigmoid(zi + zh)
    W, b = weights["W_h"].chunk(3)[2], weights["b_h"].chunk(3)[2]
    n = torch.tanh(ni + (r * h) @ W.T + b)
    return torch.where(word.unsqueeze(1), (1 - z) * n + z * h, h)
