# says: the order is r, z, n
import torch


def step(x, h, word, weights):
    zi, ri, ni = (x @ weights["W_i"].T + weights["b_i"]).chunk(3, dim=1)
    zh, rh, nh = (h @ weights["W_h"].T + weights["b_h"]).chunk(3, dim=1)
    r, z = torch.sigmoid(ri + rh), torch.sigmoid(zi + zh)
    n = torch.tanh(ni + r * nh)
    return torch.where(word.unsqueeze(1), (1 - z) * n + z * h, h)
