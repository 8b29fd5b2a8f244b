import torch


def to_patches(pictures, size):
    """Pictures cut into squares: (B, C, H, W), int to (B, N, C * size * size)."""
    height, width = pictures.shape[2:]
    rows = []
    for v in range(0, height, size):
        for u in range(0, width, size):
            rows.append(pictures[:, :, v : v + size, u : u + size].flatten(1))
    return torch.stack(rows, dim=1)


def to_pictures(patches, size, rows):
    """The way back: (B, N, C * size * size), int, int to (B, C, H, W)."""
    squares = patches.unflatten(2, (-1, size, size))
    columns = patches.shape[1] // rows
    return torch.cat(
        [torch.cat([squares[:, r * columns + c] for c in range(columns)], dim=3) for r in range(rows)], dim=2
    )
