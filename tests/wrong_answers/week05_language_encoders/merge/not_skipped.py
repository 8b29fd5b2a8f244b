# says: the second piece of the pair is still there
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
        for i, piece in enumerate(pieces):
            row.append("".join(best) if pieces[i : i + 2] == best else piece)
        if len(pieces) == 2 and pieces == best:
            row = ["".join(best)]
        merged[tuple(row)] = count
    return best, merged
