# says: and the sentence is not: now it names the wrong side
import numpy as np


def mirror(sample):
    signs = np.array([1, -1, 1, -1, 1, -1, 1])
    u, v = sample["target_pixel"]
    return {
        "picture": sample["picture"][:, ::-1].copy(),
        "instruction": sample["instruction"],
        "state": sample["state"] * signs,
        "action": sample["action"] * signs,
        "target_pixel": np.array([1 - u, v]),
    }
