import torch


def grounding_loss(logits, wanted, visible):
    losses = []
    for k in range(len(logits)):
        if visible[k]:
            row = logits[k].double().flatten()
            losses.append(-(wanted[k].double().flatten() * (row - torch.logsumexp(row, 0))).sum())
    return sum(losses) / len(losses) if losses else torch.tensor(0.0)
