import numpy as np


def damped_step(jacobian, error, damping):
    return np.linalg.inv(jacobian.T @ jacobian + damping**2 * np.identity(jacobian.shape[1])) @ jacobian.T @ error


def reach(lengths, angles, target, damping, steps):
    for _ in range(steps):
        tip, jacobian = np.zeros(2), np.zeros((2, len(lengths)))
        for k in range(len(lengths)):
            tip += lengths[k] * np.array([np.cos(sum(angles[: k + 1])), np.sin(sum(angles[: k + 1]))])
        for i in range(len(lengths)):
            for k in range(i, len(lengths)):
                direction = sum(angles[: k + 1])
                jacobian[:, i] += lengths[k] * np.array([-np.sin(direction), np.cos(direction)])
        angles = angles + damped_step(jacobian, target - tip, damping)
    return angles
