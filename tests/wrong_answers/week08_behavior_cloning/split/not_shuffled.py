# says: a recording drifts
import numpy as np


def split(owner, share, seed):
    episodes = np.unique(owner)
    count = max(1, round(share * len(episodes)))
    validates = np.isin(owner, episodes[:count])
    return np.flatnonzero(~validates).tolist(), np.flatnonzero(validates).tolist()
