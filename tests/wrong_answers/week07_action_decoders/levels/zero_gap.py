# says: 0 / 0 in a column that never moves


def encode(actions, low, high, count):
    gap = (high - low) / (count - 1)
    return ((actions - low) / gap).round().clamp(0, count - 1).long()


def decode(tokens, low, high, count):
    return low + tokens * (high - low) / (count - 1)
