# says: the times are a tensor (B,), one for each chunk
import torch


def follow(velocity, noise, steps):
    x = noise
    for i in range(steps):
        x = x - velocity(x, torch.full((1,), 1 - i / steps)) / steps
    return x
