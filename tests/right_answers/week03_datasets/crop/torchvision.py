import numpy as np
import torch
from torchvision.transforms.v2 import functional as F


def crop(sample, top, left, height, width):
    image = F.crop(torch.tensor(sample["image"]).permute(2, 0, 1), top, left, height, width).permute(1, 2, 0)
    depth, mask = (F.crop(torch.tensor(sample[key])[None], top, left, height, width)[0] for key in ("depth", "mask"))
    old_height, old_width = sample["depth"].shape
    scale = np.array([old_width / width, old_height / height])
    pixel = sample["target_pixel"] * scale - np.array([left / width, top / height])
    seen = all(0 <= share < 1 for share in pixel)
    center = sample["center"] - np.array([left, top])
    return {
        "image": image.numpy(),
        "depth": depth.numpy(),
        "mask": mask.numpy(),
        "target_pixel": pixel,
        "center": center,
        "visible": seen,
    }
