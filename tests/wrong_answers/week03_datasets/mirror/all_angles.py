# says: the axis of pitch is at a right angle to the mirror
import re

import numpy as np


def mirror(sample):
    other = {"left": "right", "right": "left"}
    signs = np.array([1, -1, 1, -1, -1, -1, 1])
    u, v = sample["target_pixel"]
    return {
        "picture": sample["picture"][:, ::-1].copy(),
        "instruction": re.sub(r"\b(left|right)\b", lambda found: other[found.group()], sample["instruction"]),
        "state": sample["state"] * signs,
        "action": sample["action"] * signs,
        "target_pixel": np.array([1 - u, v]),
    }
