# says: these are not the numbers of your episodes
import numpy as np


def split(episodes, validation, held_out, seed):
    aside = [e for e, episode in enumerate(episodes) if held_out(episode)]
    n = len(episodes) - len(aside)
    validates = np.random.default_rng(seed).permutation(n)[: round(validation * n)]
    parts = {"train": [], "validation": [], "test": []}
    frame = 0
    for e, episode in enumerate(episodes):
        part = "test" if e in aside else "validation" if e in validates else "train"
        parts[part] += range(frame, frame + episode["length"])
        frame += episode["length"]
    return parts
