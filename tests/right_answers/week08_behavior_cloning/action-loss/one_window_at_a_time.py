import torch


def action_loss(actions, wanted, is_pad):
    means = []
    for one, other, padding in zip(actions.double(), wanted.double(), is_pad, strict=True):
        means.append((one[~padding] - other[~padding]).abs().mean())
    return torch.stack(means).mean()
