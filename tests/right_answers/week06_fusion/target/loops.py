import torch


def target(pixels, named, height, width, sigma):
    """Where attention should be: (B, K, 2), (B, K), sizes of the map, sigma to (B, height, width)."""
    maps = torch.empty(len(pixels), height, width)
    for example, (places, wanted) in enumerate(zip(pixels.tolist(), named.tolist(), strict=True)):
        bumps = []
        for (u, v), is_named in zip(places, wanted, strict=True):
            if not is_named or not (0 <= u <= 1 and 0 <= v <= 1):
                continue
            exponents = torch.tensor(
                [
                    [
                        -(((j + 0.5) / width - u) ** 2 + ((i + 0.5) / height - v) ** 2) / (2 * sigma**2)
                        for j in range(width)
                    ]
                    for i in range(height)
                ],
                dtype=torch.float64,
            )
            bump = (exponents - exponents.max()).exp()
            bumps.append(bump / bump.sum())
        maps[example] = sum(bumps) / len(bumps) if bumps else 1 / (height * width)
    return maps
