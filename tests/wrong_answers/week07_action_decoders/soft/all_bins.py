# says: this is the mean over all bins; where there are two hills it lies between them
import torch


def soft_labels(values, edges, spread):
    below = torch.special.ndtr((edges - values.unsqueeze(-1)) / spread)
    below[..., 0], below[..., -1] = 0.0, 1.0
    return below.diff(dim=-1)


def read(logits, centers, reach):
    return (logits.softmax(-1) * centers).sum(-1)
