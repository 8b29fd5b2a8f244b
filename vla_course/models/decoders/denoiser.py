"""The network of diffusion and flow matching: what to change in a noisy chunk, given the context and the time.

Both make a sample of noise. Below a temperature of 1 the noise is weaker, and samples lie closer to what is likely
(Kingma & Dhariwal 2018, arXiv:1807.03039, do so for pictures). Where there are two ways, a network that was trained for
long enough still takes both.
"""

import torch
from torch import Tensor, nn

FASTEST = 1000.0  # radians over the whole time, of the fastest wave; of the slowest, 1


class ChunkDenoiser(nn.Module):
    """A residual network over the flattened chunk, as in Octo's diffusion head (2024, arXiv:2405.12213).

    Args:
        inputs: features of the context.
        chunk: actions.
        action: numbers in each.
        width: hidden features.
        blocks: residual blocks.
    """

    def __init__(self, inputs: int, chunk: int, action: int, width: int = 256, blocks: int = 3):
        super().__init__()
        self.frequencies = 32
        self.time = nn.Sequential(nn.Linear(2 * self.frequencies, width), nn.SiLU(), nn.Linear(width, width))
        self.context = nn.Linear(inputs, width)
        self.enter = nn.Linear(chunk * action, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))
            for _ in range(blocks)
        )
        self.leave = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, chunk * action), nn.Unflatten(1, (chunk, action))
        )

    def forward(self, noisy: Tensor, time: Tensor, context: Tensor) -> Tensor:
        """What the loss asks for: the noise (diffusion) or the velocity (flow matching).

        Args:
            noisy: (B, T, A).
            time: (B,) from 0, no noise, to 1, nothing else.
            context: (B, D).

        Returns:
            (B, T, A).
        """
        when = self.time(time_features(time, self.frequencies))
        hidden = self.enter(noisy.flatten(1)) + when + self.context(context)  # (B, width)
        for block in self.blocks:
            hidden = hidden + block(hidden)
        return self.leave(hidden)


def repeated(draws: int, context: Tensor, actions: Tensor, keep: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Each chunk several times, to be shown with several draws of noise in one training step.

    Seeing costs far more than denoising, and one draw says little: the loss at one time and one noise is a noisy
    estimate of the loss. So the context is computed once and used often (Li et al. 2024, arXiv:2406.11838).

    Args:
        draws: how often, D.
        context: (B, C).
        actions: (B, T, A).
        keep: (B, T) bool. The network sees all rows, so padded ones become 0: they must not tell it anything.

    Returns:
        The same, with D * B in place of B.
    """
    actions = actions * keep.unsqueeze(-1)
    return context.repeat(draws, 1), actions.repeat(draws, 1, 1), keep.repeat(draws, 1)


def time_features(time: Tensor, frequencies: int) -> Tensor:
    """Sines and cosines of the time, from slow to fast (Vaswani et al. 2017, section 3.5).

    Args:
        time: (B,) from 0 to 1.
        frequencies: how many waves.

    Returns:
        (B, 2 * frequencies).
    """
    rates = torch.logspace(0, 1, frequencies, base=FASTEST, device=time.device)
    angles = time.unsqueeze(-1) * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
