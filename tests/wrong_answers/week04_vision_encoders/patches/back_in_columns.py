# says: on the way back the patches come row by row, too
def to_patches(pictures, size):
    """Pictures cut into squares: (B, C, H, W), int to (B, N, C * size * size)."""
    cut = pictures.unflatten(3, (-1, size)).unflatten(2, (-1, size))  # (B, C, h, size, w, size)
    return cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def to_pictures(patches, size, rows):
    """The way back: (B, N, C * size * size), int, int to (B, C, H, W)."""
    cut = patches.unflatten(2, (-1, size, size)).unflatten(1, (-1, rows))
    return cut.permute(0, 3, 2, 4, 1, 5).flatten(4, 5).flatten(2, 3)
