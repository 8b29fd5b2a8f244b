# says: the picture is not flipped from left to right
import json
import re

import numpy as np
import torch
from PIL import Image


class Demonstrations(torch.utils.data.Dataset):
    def __init__(self, folder):
        self.texts = sorted(folder.glob("*.json"))

    def __len__(self):
        return 2 * len(self.texts)

    def __getitem__(self, index):
        path = self.texts[index % len(self.texts)]
        text, picture = json.loads(path.read_text()), np.array(Image.open(path.with_suffix(".png")))
        rows, last = np.arange(5), len(text["waypoints"]) - 1
        action, state = np.array(text["waypoints"])[np.minimum(rows, last)], np.array(text["state"])
        pixel, sentence = np.array(text["target_pixel"]), text["instruction"]
        if index >= len(self.texts):
            signs, other = np.array([1, -1, 1, -1, 1, -1, 1]), {"left": "right", "right": "left"}
            picture, action, state = picture, action * signs, state * signs
            pixel = np.array([1 - pixel[0], pixel[1]])
            sentence = re.sub(r"\b(left|right)\b", lambda found: other[found.group()], sentence)
        return {
            "observation.images.front": torch.tensor(picture).permute(2, 0, 1) / 255,
            "observation.state": torch.tensor(state, dtype=torch.float32),
            "action": torch.tensor(action, dtype=torch.float32),
            "action_is_pad": torch.tensor(rows > last),
            "task": sentence,
            "target_pixel": torch.tensor(pixel, dtype=torch.float32),
        }
