# says: the first of the shuffled episodes validate, not the last
import numpy as np


def split(episodes, validation, held_out, seed):
    aside = np.array([bool(held_out(episode)) for episode in episodes])
    others = np.random.default_rng(seed).permutation(np.flatnonzero(~aside))
    count = round(validation * len(others))
    chosen = {"train": others[:-count], "validation": others[-count:], "test": np.flatnonzero(aside)}
    owner = np.repeat(np.arange(len(episodes)), [episode["length"] for episode in episodes])
    return {part: np.flatnonzero(np.isin(owner, numbers)).tolist() for part, numbers in chosen.items()}
