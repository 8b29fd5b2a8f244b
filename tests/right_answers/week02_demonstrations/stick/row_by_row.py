import numpy as np


def drive(sticks, pressed, dead_zone):
    def push(value):
        if abs(value) <= dead_zone:
            return 0.0
        beyond = (abs(value) - dead_zone) / (1 - dead_zone)
        return float(np.copysign(min(1.0, beyond), value))

    rows, before, gripper = [], False, 1
    for (x, y, z), now in zip(sticks.tolist(), pressed.tolist(), strict=True):
        if now and not before:
            gripper = -gripper
        before = now
        rows.append([push(y), push(x), -push(z), gripper])
    return np.array(rows, dtype=np.float32)
