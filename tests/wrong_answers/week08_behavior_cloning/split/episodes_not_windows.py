# says: windows are asked for
import numpy as np


def split(owner, share, seed):
    episodes = np.random.default_rng(seed).permutation(np.unique(owner))
    count = max(1, round(share * len(episodes)))
    return sorted(episodes[count:].tolist()), sorted(episodes[:count].tolist())
