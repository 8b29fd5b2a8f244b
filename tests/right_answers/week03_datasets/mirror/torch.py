import re

import torch


def mirror(sample):
    signs = torch.tensor([1.0, -1, 1, -1, 1, -1, 1], dtype=torch.float64)
    hidden = re.sub(r"\bleft\b", "\0", sample["instruction"])
    return {
        "picture": torch.as_tensor(sample["picture"]).flip(1),
        "instruction": re.sub(r"\bright\b", "left", hidden).replace("\0", "right"),
        "state": torch.as_tensor(sample["state"]) * signs,
        "action": torch.as_tensor(sample["action"]) * signs,
        "target_pixel": torch.tensor([1 - sample["target_pixel"][0], sample["target_pixel"][1]]),
    }
