# says: frames were shuffled, not episodes
import numpy as np


def split(episodes, validation, held_out, seed):
    owner = np.repeat(np.arange(len(episodes)), [episode["length"] for episode in episodes])
    aside = np.array([bool(held_out(episodes[e])) for e in owner])
    others = np.random.default_rng(seed).permutation(np.flatnonzero(~aside))
    count = round(validation * len(others))
    return {
        "train": sorted(others[count:].tolist()),
        "validation": sorted(others[:count].tolist()),
        "test": np.flatnonzero(aside).tolist(),
    }
