# says: the strides are 2, 2, 1: the map has a quarter of the picture's side
import torch
from torch import nn


class Encoder(nn.Module):
    """Pictures (B, 3, H, W) in [0, 1] to maps (B, width, H / 4, W / 4)."""

    def __init__(self, width):
        super().__init__()
        shapes = ((3, 24, 2), (24, width, 2), (width, width, 2))
        self.layers = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(i, o, 3, step, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())
                for i, o, step in shapes
            )
        )
        self.features = width

    def forward(self, pictures):
        return self.layers(2 * pictures - 1)


def measure_again(encoder, batches):
    """Measure what the BatchNorms of an encoder remember, on a list of batches of pictures (B, 3, H, W)."""
    norms = [part for part in encoder.modules() if isinstance(part, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    encoder.train()
    with torch.no_grad():
        for batch in batches:
            encoder(batch)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    encoder.eval()
