# says: go from left to right
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
        for piece in reversed(pieces):
            if row and (piece, row[0]) == best:
                row[0] = piece + row[0]
            else:
                row.insert(0, piece)
        merged[tuple(row)] = count
    return best, merged
