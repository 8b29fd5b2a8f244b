# says: one step is missing: the last one ends at t = 0
import torch


def follow(velocity, noise, steps):
    x = noise
    for i in range(steps - 1):
        x = x - velocity(x, torch.full((len(x),), 1 - i / steps)) / steps
    return x
