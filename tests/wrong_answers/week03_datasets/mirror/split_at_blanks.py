# says: a comma or a full stop may stand right behind the word
import numpy as np


def mirror(sample):
    other = {"left": "right", "right": "left"}
    signs = np.array([1, -1, 1, -1, 1, -1, 1])
    u, v = sample["target_pixel"]
    return {
        "picture": sample["picture"][:, ::-1].copy(),
        "instruction": " ".join(other.get(word, word) for word in sample["instruction"].split()),
        "state": sample["state"] * signs,
        "action": sample["action"] * signs,
        "target_pixel": np.array([1 - u, v]),
    }
