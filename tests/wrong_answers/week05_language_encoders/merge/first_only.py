# says: not only the first
from collections import Counter


def merge_step(words):
    pairs = Counter()
    for pieces, count in words.items():
        for pair in zip(pieces, pieces[1:]):
            pairs[pair] += count
    best = min(pairs, key=lambda pair: (-pairs[pair], pair))
    merged = {}
    for pieces, count in words.items():
        row = list(pieces)
        for i, pair in enumerate(zip(pieces, pieces[1:])):
            if pair == best:
                row[i : i + 2] = ["".join(best)]
                break
        merged[tuple(row)] = count
    return best, merged
