import torch


def follow(velocity, noise, steps, left=None):
    left = steps if left is None else left
    if left == 0:
        return noise
    now = torch.ones(noise.shape[0], dtype=torch.float64) * left / steps
    return follow(velocity, noise - velocity(noise, now.float()).div(steps), steps, left - 1)
