# says: the numbers are only counted off in another way: a patch is a square, so the axes have to change places
def to_patches(pictures, size):
    """Pictures cut into squares: (B, C, H, W), int to (B, N, C * size * size)."""
    return pictures.reshape(len(pictures), -1, pictures.shape[1] * size * size)


def to_pictures(patches, size, rows):
    """The way back: (B, N, C * size * size), int, int to (B, C, H, W)."""
    cut = patches.unflatten(2, (-1, size, size)).unflatten(1, (rows, -1))  # (B, h, w, C, size, size)
    return cut.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)
