import math

import torch


def positions(mask, features):
    rows = torch.zeros(*mask.shape, features)
    for b, row in enumerate(mask.tolist()):
        word = 0
        for place, is_word in enumerate(row):
            if is_word:
                for i in range(features // 2):
                    angle = word / 10000 ** (2 * i / features)
                    rows[b, place, i] = math.sin(angle)
                    rows[b, place, features // 2 + i] = math.cos(angle)
                word += 1
    return rows
