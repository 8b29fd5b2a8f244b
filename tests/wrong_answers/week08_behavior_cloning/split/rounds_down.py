# says: int(...) always rounds down
import numpy as np


def split(owner, share, seed):
    episodes = np.unique(owner)
    count = max(1, int(share * len(episodes)))
    held_out = np.random.default_rng(seed).permutation(episodes)[:count]
    validates = np.isin(owner, held_out)
    return np.flatnonzero(~validates).tolist(), np.flatnonzero(validates).tolist()
