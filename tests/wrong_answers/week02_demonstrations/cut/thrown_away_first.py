# says: join first, then throw away: together
import numpy as np


def demonstrations(position, gripper, rate, pause, shortest):
    speed = np.linalg.norm(np.diff(position, axis=0), axis=1) * rate
    active = (speed > 0.02) | (np.diff(gripper) != 0)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(int)))
    pieces = []
    for first, stop in zip(edges[::2].tolist(), edges[1::2].tolist()):
        if (stop - first) / rate < shortest:
            continue
        if pieces and (first - pieces[-1][1]) / rate < pause:
            pieces[-1] = (pieces[-1][0], stop)
        else:
            pieces.append((first, stop))
    return pieces
