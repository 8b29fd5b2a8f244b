# says: exp(1000) is infinity here too
import torch


def place(scores, radius):
    """Where a map peaks, and the share of its weight there: (B, h, w), int to (B, 2) and (B,)."""
    height, width = scores.shape[1:]
    v, u = torch.meshgrid((torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width, indexing="ij")
    peak = scores.flatten(1).argmax(1)[:, None, None]
    down = (torch.arange(height)[:, None] - peak // width).abs()
    across = (torch.arange(width) - peak % width).abs()
    near = (down <= radius) & (across <= radius)  # (B, h, w)
    powers = scores.exp()
    sure = (powers * near).sum((1, 2)) / powers.sum((1, 2))
    weights = scores.masked_fill(~near, -torch.inf).flatten(1).softmax(1).view_as(scores)
    return torch.stack([(weights * u).sum((1, 2)), (weights * v).sum((1, 2))], dim=1), sure
