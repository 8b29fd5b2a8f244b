# says: ask again in every step, at the place where x is then
import torch


def follow(velocity, noise, steps):
    x, speed = noise, velocity(noise, torch.ones(len(noise)))
    for i in range(steps):
        velocity(noise, torch.full((len(x),), 1 - i / steps))
        x = x - speed / steps
    return x
