# says: `-=` changes the noise that was given
import torch


def follow(velocity, noise, steps):
    x = noise
    for i in range(steps):
        x -= velocity(x, torch.full((len(x),), 1 - i / steps)) / steps
    return x
