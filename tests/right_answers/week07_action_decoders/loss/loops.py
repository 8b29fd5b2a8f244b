import torch


def masked_l1(answers, wanted, keep):
    errors = (answers - wanted).abs()
    found = [float(error) for b, t in keep.nonzero() for error in errors[b, t]]
    return torch.tensor(sum(found) / max(1, len(found)))
