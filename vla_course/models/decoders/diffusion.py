"""Diffusion: learn to tell action and noise apart in a noisy chunk, then take it away from pure noise step by step.

Ho et al. 2020 (DDPM, arXiv:2006.11239), with the schedule of Nichol & Dhariwal 2021 (arXiv:2102.09672) and the faster
sampler of Song et al. 2021 (DDIM, arXiv:2010.02502); for actions Chi et al. 2023 (Diffusion Policy, arXiv:2303.04137).
Step t of N has the share `kept[t]` of the signal's variance left, alpha-bar in the papers:

    x_t = sqrt(kept[t]) * action + sqrt(1 - kept[t]) * noise

The network predicts the noise, as in those papers, or the "velocity", a mixture of noise and action (Salimans & Ho
2022, arXiv:2202.00512). Where almost all is noise, the noise says next to nothing about the action: the estimate
divides by sqrt(kept) of nearly 0. The velocity is almost the action there, and a small network samples far better.
"""

import math
from typing import Literal, get_args

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from vla_course.errors import CourseError, one_of
from vla_course.models.decoders.denoiser import ChunkDenoiser, repeated
from vla_course.models.decoders.interface import check_chunk, masked_mean

Sampler = Literal["ddpm", "ddim"]
Target = Literal["noise", "velocity"]


class DiffusionDecoder(nn.Module):
    """Denoising diffusion over whole chunks (Ho et al. 2020, algorithms 1 and 2).

    Args:
        inputs: features of the context.
        chunk: actions.
        action: numbers in each.
        width: hidden features.
        steps: of the schedule, N.
        sampler: "ddim" takes `sampling_steps` steps and draws only where it starts; "ddpm" takes all N, with fresh
            noise in each.
        sampling_steps: of "ddim"; must divide `steps`.
        target: what the network predicts, "noise" or "velocity".
        largest: no estimate of an action goes beyond; 5 standard deviations, as in Octo's code.
        draws: of noise and step for each chunk in a training step; see `repeated`.
        temperature: of a sample, the deviation of its noise; see denoiser.py.

    Raises:
        CourseError: another sampler or target, or steps that do not divide.
    """

    def __init__(
        self,
        inputs: int,
        chunk: int,
        action: int,
        width: int = 256,
        steps: int = 100,
        sampler: Sampler = "ddim",
        sampling_steps: int = 10,
        target: Target = "velocity",
        largest: float = 5.0,
        draws: int = 8,
        temperature: float = 1.0,
    ):
        super().__init__()
        one_of("sampler", sampler, get_args(Sampler))
        one_of("target", target, get_args(Target))
        if steps % sampling_steps:
            raise CourseError(f"{sampling_steps} sampling steps of {steps}: take a number that divides {steps}")
        self.shape = (chunk, action)
        self.steps, self.sampler, self.sampling_steps = steps, sampler, sampling_steps
        self.target, self.largest, self.draws, self.temperature = target, largest, draws, temperature
        self.network = ChunkDenoiser(inputs, chunk, action, width)
        self.register_buffer("kept", squared_cosine(steps), persistent=False)

    def loss(self, context: Tensor, actions: Tensor, keep: Tensor, generator: Generator | None = None) -> Tensor:
        """Squared error of the target at random steps (equation 14); see `ActionDecoder.loss`."""
        check_chunk(actions, keep, self.shape)
        context, actions, keep = repeated(self.draws, context, actions, keep)
        noise = torch.randn(actions.shape, generator=generator, device=actions.device)
        step = torch.randint(self.steps, (len(actions),), generator=generator, device=actions.device)
        kept = self.kept[step].view(-1, 1, 1)
        target = noise if self.target == "noise" else kept.sqrt() * noise - (1 - kept).sqrt() * actions
        predicted = self._predict(add_noise(actions, noise, kept), step, context)
        return masked_mean(functional.mse_loss(predicted, target, reduction="none"), keep)

    @torch.no_grad()
    def sample(self, context: Tensor, generator: Generator | None = None) -> Tensor:
        """Actions (B, chunk, action), found in noise."""
        x = self.temperature * torch.randn(len(context), *self.shape, generator=generator, device=context.device)
        stride = self.steps // self.sampling_steps if self.sampler == "ddim" else 1
        for t in range(self.steps - 1, -1, -stride):
            kept, before = self.kept[t], self.kept[t - stride] if t >= stride else self.kept.new_ones(())
            predicted = self._predict(x, torch.full((len(x),), t, device=x.device), context)
            if self.target == "noise":
                clean = (x - (1 - kept).sqrt() * predicted) / kept.sqrt()
            else:
                clean = kept.sqrt() * x - (1 - kept).sqrt() * predicted
            clean = clean.clamp(-self.largest, self.largest)
            if self.sampler == "ddim":
                x = ddim_step(x, clean, kept, before)
            else:
                fresh = torch.randn(x.shape, generator=generator, device=x.device) if t > 0 else torch.zeros_like(x)
                x = ddpm_step(x, clean, kept, before, self.temperature * fresh)
        return x

    def _predict(self, noisy: Tensor, step: Tensor, context: Tensor) -> Tensor:
        return self.network(noisy, (step + 1) / self.steps, context)


def squared_cosine(steps: int) -> Tensor:
    """How much of the signal's variance is left after each step (Nichol & Dhariwal 2021, equation 17).

    As in the paper, no single step adds more than 0.999 of noise: the last ones would divide by zero.

    Args:
        steps: N.

    Returns:
        (N,) falling from nearly 1 to nearly 0.
    """

    def left(share: float) -> float:
        return math.cos((share + 0.008) / 1.008 * math.pi / 2) ** 2

    betas = [min(1 - left((t + 1) / steps) / left(t / steps), 0.999) for t in range(steps)]
    return (1 - torch.tensor(betas)).cumprod(0)


def add_noise(actions: Tensor, noise: Tensor, kept: Tensor) -> Tensor:
    """What the actions look like with noise (Ho et al. 2020, equation 4).

    Args:
        actions, noise: (B, T, A).
        kept: (B, 1, 1) or a scalar, how much of the signal's variance is left.

    Returns:
        (B, T, A).
    """
    return kept.sqrt() * actions + (1 - kept).sqrt() * noise


def ddpm_step(x: Tensor, clean: Tensor, kept: Tensor, before: Tensor, noise: Tensor) -> Tensor:
    """One step back, with fresh noise (Ho et al. 2020, equations 6 and 7).

    Args:
        x: (B, T, A), noisy.
        clean: (B, T, A), what the actions are thought to be.
        kept, before: scalars, how much of the signal's variance is left now, and one step before (1 for none).
        noise: (B, T, A), fresh; zeros in the last step.

    Returns:
        (B, T, A), less noisy.
    """
    alpha = kept / before  # of this step alone; its beta is 1 - alpha
    mean = (before.sqrt() * (1 - alpha) * clean + alpha.sqrt() * (1 - before) * x) / (1 - kept)
    variance = (1 - before) / (1 - kept) * (1 - alpha)
    return mean + variance.sqrt() * noise


def ddim_step(x: Tensor, clean: Tensor, kept: Tensor, before: Tensor) -> Tensor:
    """One step back of any length, without fresh noise (Song et al. 2021, equation 12 with sigma = 0).

    Args:
        x: (B, T, A), noisy.
        clean: (B, T, A), what the actions are thought to be.
        kept, before: scalars, how much of the signal's variance is left now, and after the step (1 for all).

    Returns:
        (B, T, A), less noisy.
    """
    noise = (x - kept.sqrt() * clean) / (1 - kept).sqrt()
    return add_noise(clean, noise, before)
