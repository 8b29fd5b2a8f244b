# says: errors of different sign cancel: take the absolute value of each
import torch


def masked_l1(answers, wanted, keep):
    if not keep.any():
        return torch.zeros(())
    return (answers - wanted)[keep].mean().abs()
