# says: windows were shuffled, not episodes
import numpy as np


def split(owner, share, seed):
    order = np.random.default_rng(seed).permutation(len(owner))
    count = max(1, round(share * len(owner)))
    return sorted(order[count:].tolist()), sorted(order[:count].tolist())
