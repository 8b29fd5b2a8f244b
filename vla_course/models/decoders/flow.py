"""Flow matching: a velocity field that carries noise to actions along straight lines.

Lipman et al. 2023 (arXiv:2210.02747). Time and signs are those of the code of pi0 (Black et al. 2024,
arXiv:2410.24164), the reverse of its paper: t = 1 is noise, t = 0 is the action.

    x_t = t * noise + (1 - t) * action        d x_t / d t = noise - action
"""

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from vla_course.models.decoders.denoiser import ChunkDenoiser, repeated
from vla_course.models.decoders.interface import check_chunk, masked_mean


class FlowDecoder(nn.Module):
    """Conditional flow matching over whole chunks (Lipman et al. 2023, equation 23 with sigma_min = 0).

    Args:
        inputs: features of the context.
        chunk: actions.
        action: numbers in each.
        width: hidden features.
        steps: Euler steps from noise to actions.
        draws: of noise and time for each chunk in a training step; see `repeated`.
        temperature: of a sample, the deviation of the noise that it begins with; see denoiser.py.
    """

    def __init__(
        self,
        inputs: int,
        chunk: int,
        action: int,
        width: int = 256,
        steps: int = 10,
        draws: int = 8,
        temperature: float = 1.0,
    ):
        super().__init__()
        self.shape = (chunk, action)
        self.steps, self.draws, self.temperature = steps, draws, temperature
        self.velocity = ChunkDenoiser(inputs, chunk, action, width)

    def loss(self, context: Tensor, actions: Tensor, keep: Tensor, generator: Generator | None = None) -> Tensor:
        """Squared error of the velocity at random times; see `ActionDecoder.loss`."""
        check_chunk(actions, keep, self.shape)
        context, actions, keep = repeated(self.draws, context, actions, keep)
        noise = torch.randn(actions.shape, generator=generator, device=actions.device)
        time = noisy_times(len(actions), generator, actions.device)
        t = time.view(-1, 1, 1)
        predicted = self.velocity(t * noise + (1 - t) * actions, time, context)
        return masked_mean(functional.mse_loss(predicted, noise - actions, reduction="none"), keep)

    @torch.no_grad()
    def sample(self, context: Tensor, generator: Generator | None = None) -> Tensor:
        """Actions (B, chunk, action), carried there from noise."""
        noise = torch.randn(len(context), *self.shape, generator=generator, device=context.device)
        return euler(lambda x, time: self.velocity(x, time, context), self.temperature * noise, self.steps)


def noisy_times(count: int, generator: Generator | None, device: torch.device) -> Tensor:
    """Times to train at: (count,), 0.001 to 1, more of them near the noise, as pi0 draws them.

    t = 0.999 * b + 0.001 with b from Beta(1.5, 1). The share of that distribution below b is b ** 1.5, so a uniform
    number to the power of 1 / 1.5 is a draw from it.
    """
    uniform = torch.rand(count, generator=generator, device=device)
    return 0.999 * uniform ** (1 / 1.5) + 0.001


def euler(velocity: Callable[[Tensor, Tensor], Tensor], noise: Tensor, steps: int) -> Tensor:
    """Follow a velocity field from t = 1 to t = 0 in equal steps.

    Args:
        velocity: from x (B, ...) and the time (B,) to dx / dt (B, ...).
        noise: (B, ...), x at t = 1.
        steps: how many.

    Returns:
        x at t = 0, (B, ...).
    """
    x = noise
    for i in range(steps):
        time = torch.full((len(x),), 1 - i / steps, device=x.device)
        x = x - velocity(x, time) / steps
    return x
