# says: a step lasts 1 / steps, so it goes by velocity / steps
import torch


def follow(velocity, noise, steps):
    x = noise
    for i in range(steps):
        x = x - velocity(x, torch.full((len(x),), 1 - i / steps))
    return x
