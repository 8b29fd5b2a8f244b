import numpy as np


def key_poses(recording):
    rests, last = [], None  # rests are lists of rows
    for t in range(len(recording)):
        around = np.median(recording[t - min(t, 2) : t + 3, :3], axis=0)
        if last is not None and np.linalg.norm(around - last) < 0.004:
            rests[-1].append(t)
        else:
            rests.append([t])
        last = around
    rests = [rows for rows in rests if len(rows) >= 6]
    commands = np.sign(recording[:, 6]).astype(int).tolist()
    press = max(t for t in range(1, len(commands)) if commands[t] < 0 < commands[t - 1])
    k = [press in rows for rows in rests].index(True)
    five = [recording[rests[k + j]] for j in (-2, -1, 0, 1, 2)]
    return np.array([[*np.median(rows[:, :6], axis=0), rows[-1, 6]] for rows in five])
