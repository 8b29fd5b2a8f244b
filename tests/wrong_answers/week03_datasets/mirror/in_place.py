# says: your function changes the sample that it was given
import re

import numpy as np


def mirror(sample):
    other = {"left": "right", "right": "left"}
    sample["picture"] = sample["picture"][:, ::-1].copy()
    sample["instruction"] = re.sub(r"\b(left|right)\b", lambda found: other[found.group()], sample["instruction"])
    for name in ("state", "action"):
        sample[name] = sample[name] * np.array([1, -1, 1, -1, 1, -1, 1])
    sample["target_pixel"] = np.array([1, 0]) - sample["target_pixel"] * [1, -1]
    return sample
