# says: in a a a the pair a, a occurs twice
from collections import Counter


def merge_step(words):
    """The most frequent pair of pieces, and the words with it merged."""
    pairs = Counter()
    for pieces, count in words.items():
        before = None
        for pair in zip(pieces, pieces[1:]):
            if pair != before:
                pairs[pair] += count
                before = pair
            else:
                before = None
    best = min(pairs, key=lambda pair: (-pairs[pair], pair))
    merged = {}
    for pieces, count in words.items():
        row = []
        for piece in pieces:
            if row and (row[-1], piece) == best:
                row[-1] += piece
            else:
                row.append(piece)
        merged[tuple(row)] = count
    return best, merged
