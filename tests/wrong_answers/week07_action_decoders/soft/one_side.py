# says: `reach` bins on both sides of the likeliest
import torch


def soft_labels(values, edges, spread):
    below = torch.special.ndtr((edges - values.unsqueeze(-1)) / spread)
    below[..., 0], below[..., -1] = 0.0, 1.0
    return below.diff(dim=-1)


def read(logits, centers, reach):
    away = torch.arange(centers.shape[-1]) - logits.argmax(-1, keepdim=True)
    return (logits.masked_fill((away < 0) | (away > reach), -torch.inf).softmax(-1) * centers).sum(-1)
