# says: without damping
import numpy as np


def damped_step(jacobian, error, damping):
    square = jacobian @ jacobian.T + 1e-9 * np.eye(len(error))
    return jacobian.T @ np.linalg.solve(square, error)


def reach(lengths, angles, target, damping, steps):
    for _ in range(steps):
        places = joints(lengths, angles)
        lever = places[-1] - places[:-1]
        jacobian = np.stack([-lever[:, 1], lever[:, 0]])
        angles = angles + damped_step(jacobian, target - places[-1], damping)
    return angles
