# says: the times are drawn evenly; more of them lie near the noise
import torch
from torch import nn

from vla_course.models.decoders.denoiser import ChunkDenoiser


class FlowHead(nn.Module):
    """Flow matching over chunks."""

    def __init__(self, inputs, chunk, action, width):
        super().__init__()
        self.shape = (chunk, action)
        self.velocity = ChunkDenoiser(inputs, chunk, action, width)  # (noisy, time, context) to a velocity

    def loss(self, context, actions, keep, generator=None):
        """Squared error of the velocity: (B, D), (B, T, A), (B, T) to a scalar."""
        noise = torch.randn(actions.shape, generator=generator)
        time = 0.999 * torch.rand(len(actions), generator=generator) + 0.001
        actions = actions.masked_fill(~keep.unsqueeze(-1), 0.0)
        t = time.view(-1, 1, 1)
        said = self.velocity(t * noise + (1 - t) * actions, time, context)
        return (said - (noise - actions))[keep].square().mean()

    def sample(self, context, generator=None):
        """Chunks (B, T, A) for contexts (B, D), carried there from noise."""
        x = torch.randn(len(context), *self.shape, generator=generator)
        with torch.no_grad():
            for i in range(10):
                x = x - self.velocity(x, torch.full((len(x),), 1 - i / 10), context) / 10
        return x
