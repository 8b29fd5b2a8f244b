# says: head by head: first all features of head 0, then all of head 1


def split(x, heads):
    """Features among the heads: (B, N, C), int to (B, heads, N, C / heads)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def merge(x):
    """The heads side by side again: (B, heads, N, d) to (B, N, heads * d)."""
    return x.permute(0, 2, 3, 1).flatten(2)
