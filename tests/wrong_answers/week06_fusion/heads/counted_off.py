# says: the numbers are only counted off in another order: tokens and heads have to change places


def split(x, heads):
    """Features among the heads: (B, N, C), int to (B, heads, N, C / heads)."""
    return x.reshape(len(x), heads, x.shape[1], -1)


def merge(x):
    """The heads side by side again: (B, heads, N, d) to (B, N, heads * d)."""
    return x.transpose(1, 2).flatten(2)
