# says: where is the spread?
import torch


def soft_labels(values, edges, spread):
    below = torch.special.ndtr(edges - values.unsqueeze(-1))
    below[..., 0], below[..., -1] = 0.0, 1.0
    return below.diff(dim=-1)


def read(logits, centers, reach):
    best = logits.argmax(-1, keepdim=True)
    near = (torch.arange(centers.shape[-1]) - best).abs() <= reach
    return (logits.masked_fill(~near, -torch.inf).softmax(-1) * centers).sum(-1)
