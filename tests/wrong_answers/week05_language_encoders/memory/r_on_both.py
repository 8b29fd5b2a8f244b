# says: r multiplies only the part of the memory
import torch


def step(x, h, word, weights):
    ri, zi, ni = (x @ weights["W_i"].T + weights["b_i"]).chunk(3, dim=1)
    rh, zh, nh = (h @ weights["W_h"].T + weights["b_h"]).chunk(3, dim=1)
    r, z = torch.sigmoid(ri + rh), torch.sigmoid(zi + zh)
    n = torch.tanh(r * (ni + nh))
    return torch.where(word.unsqueeze(1), (1 - z) * n + z * h, h)
