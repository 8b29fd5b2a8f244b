# says: `rain` is not `in`
from collections import Counter


def merge_step(words):
    pairs = Counter()
    for pieces, count in words.items():
        for pair in zip(pieces, pieces[1:]):
            pairs[pair] += count
    best = min(pairs, key=lambda pair: (-pairs[pair], pair))
    merged = {}
    for pieces, count in words.items():
        merged[tuple(" ".join(pieces).replace(" ".join(best), "".join(best)).split())] = count
    return best, merged
