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
        uniform = torch.rand(len(actions), generator=generator).double()
        time = (0.001 + 0.999 * uniform.pow(1 / 1.5)).float()
        actions = torch.where(keep[..., None], actions, torch.zeros(()))
        noisy = torch.stack([t * n + (1 - t) * a for t, n, a in zip(time, noise, actions, strict=True)])
        errors = (self.velocity(noisy, time, context) + actions - noise) ** 2
        return torch.where(keep[..., None], errors, 0.0).sum() / (keep.sum() * errors.shape[-1])

    def sample(self, context, generator=None):
        """Chunks (B, T, A) for contexts (B, D), carried there from noise."""
        x = torch.randn((len(context), *self.shape), generator=generator)
        for time in torch.linspace(1, 0, 11)[:-1]:
            with torch.no_grad():
                x = x - 0.1 * self.velocity(x, time.repeat(len(x)), context)
        return x
