# says: the loss is cut off from the network
import torch


def masked_l1(answers, wanted, keep):
    """Mean absolute error of the rows that count: (B, T, A), (B, T, A), (B, T) to a scalar."""
    return torch.tensor(0.0) + (answers.detach() - wanted)[keep].abs().sum() / max(
        1, int(keep.sum()) * answers.shape[-1]
    )
