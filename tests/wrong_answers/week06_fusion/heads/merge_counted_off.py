# says: on the way back, too, heads and tokens have to change places before they are put side by side


def split(x, heads):
    """Features among the heads: (B, N, C), int to (B, heads, N, C / heads)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def merge(x):
    """The heads side by side again: (B, heads, N, d) to (B, N, heads * d)."""
    return x.reshape(len(x), x.shape[2], -1)
