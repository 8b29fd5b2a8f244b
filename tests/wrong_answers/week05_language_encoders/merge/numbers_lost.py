# says: the words keep their numbers
from collections import Counter


def merge_step(words):
    pairs = Counter()
    for pieces, count in words.items():
        for pair in zip(pieces, pieces[1:]):
            pairs[pair] += count
    best = min(pairs, key=lambda pair: (-pairs[pair], pair))
    merged = {}
    for pieces, count in words.items():
        row = []
        for piece in pieces:
            if row and (row[-1], piece) == best:
                row[-1] += piece
            else:
                row.append(piece)
        merged[tuple(row)] = 1
    return best, merged
