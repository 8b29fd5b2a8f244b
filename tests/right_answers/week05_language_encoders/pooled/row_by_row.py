import torch


def mean_word(states, mask):
    rows = [
        row[m].double().mean(0) if m.any() else torch.zeros(row.shape[1]) for row, m in zip(states, mask, strict=True)
    ]
    return torch.stack([row.float() for row in rows])


def last_word(states, mask):
    return torch.stack([row[m][-1] for row, m in zip(states, mask, strict=True)])
