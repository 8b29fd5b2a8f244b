import numpy as np


def judge(position, rate):
    velocity = (position[:, 1:] - position[:, :-1]) * rate
    acceleration = (velocity[:, 1:] - velocity[:, :-1]) * rate
    jerk = (acceleration[:, 1:] - acceleration[:, :-1]) * rate
    mean = np.einsum("bti,bti->b", jerk, jerk) / jerk.shape[1]
    return np.hypot.reduce(velocity, axis=2).sum(1) / rate, mean**0.5
