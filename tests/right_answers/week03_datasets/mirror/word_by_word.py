import numpy as np


def mirror(sample):
    words = []
    for word in sample["instruction"].split(" "):
        plain = word.strip(",.")
        if plain in ("left", "right"):
            word = word.replace(plain, "right" if plain == "left" else "left")
        words.append(word)
    mirrored = dict(sample)
    mirrored["picture"] = np.fliplr(sample["picture"])
    mirrored["instruction"] = " ".join(words)
    for key in ("state", "action"):
        rows = np.array(sample[key], dtype=np.float32)
        rows[..., [1, 3, 5]] *= -1
        mirrored[key] = rows
    mirrored["target_pixel"] = np.array([1, 0]) + np.array([-1, 1]) * sample["target_pixel"]
    return mirrored
