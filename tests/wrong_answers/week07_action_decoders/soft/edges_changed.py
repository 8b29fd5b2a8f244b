# says: your function writes into the edges that it was given
import torch


def soft_labels(values, edges, spread):
    edges[:, 0], edges[:, -1] = -torch.inf, torch.inf
    return torch.special.ndtr((edges - values.unsqueeze(-1)) / spread).diff(dim=-1)


def read(logits, centers, reach):
    best = logits.argmax(-1, keepdim=True)
    near = (torch.arange(centers.shape[-1]) - best).abs() <= reach
    return (logits.masked_fill(~near, -torch.inf).softmax(-1) * centers).sum(-1)
