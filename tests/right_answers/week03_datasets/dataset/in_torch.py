import json
import re

import numpy as np
import torch
from PIL import Image


class Demonstrations(torch.utils.data.Dataset):
    def __init__(self, folder):
        self.folder = folder
        self.count = len(list(folder.glob("*.png")))

    def __len__(self):
        return self.count * 2

    def __getitem__(self, index):
        flip, number = divmod(index, self.count)
        text = json.loads((self.folder / f"{number:04d}.json").read_text())
        with Image.open(self.folder / f"{number:04d}.png") as file:
            picture = torch.from_numpy(np.array(file, dtype=np.float32) / np.float32(255)).permute(2, 0, 1)
        state, action = torch.tensor(text["state"]), torch.tensor(text["waypoints"])
        pixel = torch.tensor(text["target_pixel"])
        missing = 5 - len(action)
        action = torch.cat([action, action[-1:].repeat(missing, 1)])
        words = text["instruction"]
        if flip:
            picture = picture.flip(2)
            state[[1, 3, 5]] *= -1
            action[:, [1, 3, 5]] *= -1
            pixel[0] = 1 - pixel[0]
            words = re.sub(r"\bleft\b", "\0", words)
            words = re.sub(r"\bright\b", "left", words).replace("\0", "right")
        return {
            "task": words,
            "action": action,
            "action_is_pad": torch.arange(5) >= 5 - missing,
            "target_pixel": pixel,
            "observation.state": state,
            "observation.images.front": picture,
        }
