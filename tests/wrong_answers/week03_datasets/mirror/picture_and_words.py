# says: the robot's own hand is mirrored
import re

import numpy as np


def mirror(sample):
    other = {"left": "right", "right": "left"}
    u, v = sample["target_pixel"]
    return {
        "picture": sample["picture"][:, ::-1].copy(),
        "instruction": re.sub(r"\b(left|right)\b", lambda found: other[found.group()], sample["instruction"]),
        "state": sample["state"].copy(),
        "action": sample["action"].copy(),
        "target_pixel": np.array([1 - u, v]),
    }
