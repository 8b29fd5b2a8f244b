# says: each step asks where it begins, and not where it ends
import torch


def follow(velocity, noise, steps):
    x = noise
    for i in range(steps):
        x = x - velocity(x, torch.full((len(x),), 1 - (i + 1) / steps)) / steps
    return x
