# says: linspace with `steps` times has one gap fewer: the last time asked is 0
import torch


def follow(velocity, noise, steps):
    x = noise
    for time in torch.linspace(1, 0, steps):
        x = x - velocity(x, time.expand(len(x))) / steps
    return x
