# says: episode numbers have gaps
import numpy as np


def split(owner, share, seed):
    episodes = len(set(owner))
    count = max(1, round(share * episodes))
    held_out = np.random.default_rng(seed).permutation(episodes)[:count]
    validates = np.isin(owner, held_out)
    return np.flatnonzero(~validates).tolist(), np.flatnonzero(validates).tolist()
