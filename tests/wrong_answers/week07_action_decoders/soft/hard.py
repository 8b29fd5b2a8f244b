# says: this is the nearest bin alone; its neighbors are nearly right
from torch import nn


def soft_labels(values, centers, spread):
    nearest = (values.unsqueeze(-1) - centers).abs().argmin(-1)
    return nn.functional.one_hot(nearest, centers.shape[-1]).float()


def expectation(logits, centers):
    return (logits.softmax(-1) * centers).sum(-1)
