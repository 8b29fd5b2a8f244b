"""What every decoder can do, and how all of them leave padded rows out."""

from typing import Protocol

import torch
from torch import Generator, Tensor

from vla_course.errors import CourseError


class ActionDecoder(Protocol):
    """Every decoder is an `nn.Module` made with `inputs` (D), `chunk` (T) and `action` (A), and has two methods.

    A generator must live on the device of the context. Without one, torch's own random state is drawn from.
    """

    def loss(self, context: Tensor, actions: Tensor, keep: Tensor, generator: Generator | None = None) -> Tensor:
        """How far the demonstrated actions are from what the decoder would do.

        Args:
            context: (B, D), what the policy understood.
            actions: (B, T, A), normalized.
            keep: (B, T) bool, false in padded rows. These count nothing, whatever they hold.
            generator: of what the loss draws at random.

        Returns:
            A scalar.

        Raises:
            CourseError: `actions` or `keep` of another shape.
        """
        ...

    def sample(self, context: Tensor, generator: Generator | None = None) -> Tensor:
        """What to do: (B, T, A), normalized.

        Args:
            context: (B, D).
            generator: of what is drawn at random.
        """
        ...


def masked_mean(values: Tensor, keep: Tensor) -> Tensor:
    """Mean over the rows that count; 0 if none does.

    Args:
        values: (B, T, A).
        keep: (B, T) bool.
    """
    return (values * keep.unsqueeze(-1)).sum() / (keep.sum() * values.shape[-1]).clamp(min=1)


def check_chunk(actions: Tensor, keep: Tensor, shape: tuple[int, int]) -> None:
    """Refuse what torch would broadcast in silence.

    Args:
        actions: normalized actions.
        keep: which of their rows count.
        shape: the decoder's chunk and action (T, A).

    Raises:
        CourseError: `actions` are not (B, T, A), or `keep` is not (B, T) bool.
    """
    if actions.shape[1:] != shape:
        raise CourseError(f"actions have shape {tuple(actions.shape)}; this decoder writes (B, {shape[0]}, {shape[1]})")
    if keep.shape != actions.shape[:2] or keep.dtype != torch.bool:
        raise CourseError(
            f"keep has shape {tuple(keep.shape)} and type {keep.dtype}; give {tuple(actions.shape[:2])} booleans"
        )
