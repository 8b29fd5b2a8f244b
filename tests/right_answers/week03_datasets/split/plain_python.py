import numpy as np


def split(episodes, validation, held_out, seed):
    others = [e for e, episode in enumerate(episodes) if not held_out(episode)]
    order = np.random.default_rng(seed).permutation(others).tolist()
    validates = set(order[: round(validation * len(others))])
    parts, frame = {"train": [], "validation": [], "test": []}, 0
    for e, episode in enumerate(episodes):
        part = "test" if e not in others else "validation" if e in validates else "train"
        parts[part].extend(range(frame, frame + episode["length"]))
        frame += episode["length"]
    return parts
