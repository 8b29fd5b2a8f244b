import numpy as np


def window(actions, start, chunk):
    rows, is_pad = [], []
    for step in range(start, start + chunk):
        there = step < len(actions)
        rows.append(actions[step] if there else actions[-1])
        is_pad.append(not there)
    return np.stack(rows), np.array(is_pad)
