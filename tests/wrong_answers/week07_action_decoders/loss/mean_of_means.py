# says: a mean of each chunk first lets a short one weigh as much as a long one
import torch


def masked_l1(answers, wanted, keep):
    errors = torch.where(keep.unsqueeze(-1), (answers - wanted).abs(), 0.0).sum((1, 2))
    return (errors / (keep.sum(1) * answers.shape[-1]).clamp(min=1)).mean()
