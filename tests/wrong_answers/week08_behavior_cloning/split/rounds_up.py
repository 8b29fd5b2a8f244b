# says: math.ceil(...) always rounds up
import math

import numpy as np


def split(owner, share, seed):
    """Window numbers for training and for validation, divided by episode."""
    episodes = np.unique(owner)
    count = max(1, math.ceil(share * len(episodes)))
    held_out = np.random.default_rng(seed).permutation(episodes)[:count]
    validates = np.isin(owner, held_out)
    return np.flatnonzero(~validates).tolist(), np.flatnonzero(validates).tolist()
