import math

import numpy as np


def judge(position, rate):
    lengths, jerks = [], []
    for rows in position.tolist():
        lengths.append(sum(math.dist(a, b) for a, b in zip(rows[:-1], rows[1:], strict=True)))
        squares = [
            sum((rate**3 * (d - 3 * c + 3 * b - a)) ** 2 for a, b, c, d in zip(*four, strict=True))
            for four in zip(rows[:-3], rows[1:-2], rows[2:-1], rows[3:], strict=True)
        ]
        jerks.append(math.sqrt(sum(squares) / len(squares)))
    return np.array(lengths), np.array(jerks)
