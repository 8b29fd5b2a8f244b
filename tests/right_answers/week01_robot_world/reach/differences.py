import numpy as np


def tip(lengths, angles):
    x = y = direction = 0.0
    for length, angle in zip(lengths, angles, strict=True):
        direction += angle
        x, y = x + length * np.cos(direction), y + length * np.sin(direction)
    return np.array([x, y])


def damped_step(jacobian, error, damping):
    n = jacobian.shape[1]
    tall = np.concatenate([jacobian, damping * np.eye(n)])
    return np.linalg.lstsq(tall, np.concatenate([error, np.zeros(n)]), rcond=None)[0]


def reach(lengths, angles, target, damping, steps):
    angles = np.array(angles, dtype=float)
    for _ in range(steps):
        columns = []
        for i in range(len(angles)):
            nudge = 1e-6 * (np.arange(len(angles)) == i)
            columns.append((tip(lengths, angles + nudge) - tip(lengths, angles - nudge)) / 2e-6)
        angles += damped_step(np.array(columns).T, target - tip(lengths, angles), damping)
    return angles
