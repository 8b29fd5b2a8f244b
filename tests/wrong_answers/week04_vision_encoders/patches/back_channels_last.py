# says: on the way back the first axis of a patch is its channels
def to_patches(pictures, size):
    """Pictures cut into squares: (B, C, H, W), int to (B, N, C * size * size)."""
    cut = pictures.unflatten(3, (-1, size)).unflatten(2, (-1, size))  # (B, C, h, size, w, size)
    return cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def to_pictures(patches, size, rows):
    """The way back: (B, N, C * size * size), int, int to (B, C, H, W)."""
    cut = patches.unflatten(2, (size, size, -1)).unflatten(1, (rows, -1))  # (B, h, w, C, size, size)
    return cut.permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)
