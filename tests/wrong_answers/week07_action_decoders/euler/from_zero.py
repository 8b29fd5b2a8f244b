# says: the time runs from 1 to 0, and here it runs from 0 to 1
import torch


def follow(velocity, noise, steps):
    x = noise
    for i in range(steps):
        x = x - velocity(x, torch.full((len(x),), i / steps)) / steps
    return x
