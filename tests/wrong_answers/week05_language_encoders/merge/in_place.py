# says: leave the given one as it is
from collections import Counter


def merge_step(words):
    pairs = Counter()
    for pieces, count in words.items():
        for pair in zip(pieces, pieces[1:]):
            pairs[pair] += count
    best = min(pairs, key=lambda pair: (-pairs[pair], pair))
    merged = words
    for pieces, count in list(words.items()):
        del words[pieces]
        row = []
        for piece in pieces:
            if row and (row[-1], piece) == best:
                row[-1] += piece
            else:
                row.append(piece)
        merged[tuple(row)] = count
    return best, merged
