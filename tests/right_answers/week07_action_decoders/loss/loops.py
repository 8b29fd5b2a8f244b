import torch


def masked_l1(answers, wanted, keep):
    errors = (answers - wanted).abs()
    found = [error for b, t in keep.nonzero() for error in errors[b, t]]
    return torch.stack(found).double().mean() if found else torch.zeros(())
