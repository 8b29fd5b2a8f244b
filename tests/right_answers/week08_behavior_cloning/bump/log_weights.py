import torch


def bump(pixel, height, width, sigma=0.04):
    maps = []
    for u, v in pixel.double():
        d2 = torch.zeros(height, width, dtype=torch.float64)
        for i in range(height):
            for j in range(width):
                d2[i, j] = ((i + 0.5) / height - v) ** 2 + ((j + 0.5) / width - u) ** 2
        weights = torch.exp(-(d2 - d2.min()) / (2 * sigma**2))
        maps.append(weights / weights.sum())
    return torch.stack(maps)
