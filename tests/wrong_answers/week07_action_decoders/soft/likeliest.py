# says: this is the likeliest bin alone; its neighbors count too
import torch


def soft_labels(values, edges, spread):
    below = torch.special.ndtr((edges - values.unsqueeze(-1)) / spread)
    below[..., 0], below[..., -1] = 0.0, 1.0
    return below.diff(dim=-1)


def read(logits, centers, reach):
    best = logits.argmax(-1, keepdim=True)
    return centers.expand(logits.shape).gather(-1, best).squeeze(-1)
