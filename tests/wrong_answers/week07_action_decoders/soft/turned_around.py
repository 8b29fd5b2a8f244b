# says: edges minus value, not value minus edges: no share is negative
import torch


def soft_labels(values, edges, spread):
    below = torch.special.ndtr((values.unsqueeze(-1) - edges) / spread)
    below[..., 0], below[..., -1] = 1.0, 0.0
    return below.diff(dim=-1)


def read(logits, centers, reach):
    best = logits.argmax(-1, keepdim=True)
    near = (torch.arange(centers.shape[-1]) - best).abs() <= reach
    return (logits.masked_fill(~near, -torch.inf).softmax(-1) * centers).sum(-1)
