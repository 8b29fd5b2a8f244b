# says: n is a tanh, from -1 to 1
import torch


def step(x, h, word, weights):
    ri, zi, ni = (x @ weights["W_i"].T + weights["b_i"]).chunk(3, dim=1)
    rh, zh, nh = (h @ weights["W_h"].T + weights["b_h"]).chunk(3, dim=1)
    r, z = torch.sigmoid(ri + rh), torch.sigmoid(zi + zh)
    n = torch.sigmoid(ni + r * nh)
    return torch.where(word.unsqueeze(1), (1 - z) * n + z * h, h)
