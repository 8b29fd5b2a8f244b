import numpy as np


def split(owner, share, seed):
    episodes = sorted(set(owner))
    order = np.random.default_rng(seed).permutation(episodes)
    held_out = {int(e) for e in order[: max(1, round(share * len(episodes)))]}
    training = [i for i, e in enumerate(owner) if e not in held_out]
    return training, [i for i, e in enumerate(owner) if e in held_out]
