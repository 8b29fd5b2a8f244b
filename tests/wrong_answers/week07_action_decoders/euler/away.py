# says: this goes with the time, not back: subtract the velocity
import torch


def follow(velocity, noise, steps):
    x = noise
    for i in range(steps):
        x = x + velocity(x, torch.full((len(x),), 1 - i / steps)) / steps
    return x
