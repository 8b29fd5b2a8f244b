from torch.nn import functional as F


def to_patches(pictures, size):
    """Pictures cut into squares: (B, C, H, W), int to (B, N, C * size * size)."""
    return F.unfold(pictures, size, stride=size).transpose(1, 2)


def to_pictures(patches, size, rows):
    """The way back: (B, N, C * size * size), int, int to (B, C, H, W)."""
    columns = patches.shape[1] // rows
    return F.fold(patches.transpose(1, 2), (rows * size, columns * size), size, stride=size)
