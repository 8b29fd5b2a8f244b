import torch


def film(maps, questions, weight, bias):
    """Maps, as each question sees them: (B, C, h, w), (B, Q, K), (2 * C, K), (2 * C,) to (B, Q, C, h, w)."""
    channels, rows = maps.shape[1], []
    for picture, asked in zip(maps, questions, strict=True):
        answers = []
        for c in asked:
            both = weight.double() @ c.double() + bias
            answers.append(torch.stack([(1 + both[k]) * picture[k] + both[channels + k] for k in range(channels)]))
        rows.append(torch.stack(answers))
    return torch.stack(rows).float()
