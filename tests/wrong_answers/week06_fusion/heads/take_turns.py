# says: head 0 gets the first features and head 1 the next: they do not take turns


def split(x, heads):
    """Features among the heads: (B, N, C), int to (B, heads, N, C / heads)."""
    return x.unflatten(-1, (-1, heads)).permute(0, 3, 1, 2)


def merge(x):
    """The heads side by side again: (B, heads, N, d) to (B, N, heads * d)."""
    return x.transpose(1, 2).flatten(2)
