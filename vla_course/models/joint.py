"""Fusion by one transformer over all tokens: words, pictures, state, and a readout token that only reads."""

import torch
from torch import Tensor, nn

from vla_course.models.fusion import Fused
from vla_course.models.language import Words
from vla_course.models.transformer import Transformer


def block_causal_mask(block: Tensor, readout: Tensor) -> Tensor:
    """Who may look at whom (Octo Model Team 2024, section III-A, arXiv:2405.12213).

    A token looks at its own block and at earlier ones. A readout token looks at the same, and at itself; nobody
    else looks at it. So readouts for other actions, or other robots, can be added later and change nothing.

    Args:
        block: (T,) int, such as 0 for the task and 1, 2, ... for the observations of each moment.
        readout: (T,) bool, true for readout tokens.

    Returns:
        (T, T) bool, true where the token of the row may look at the token of the column.
    """
    not_later = block.unsqueeze(0) <= block.unsqueeze(1)
    itself = torch.eye(len(block), dtype=torch.bool, device=block.device)
    return (not_later & ~readout) | itself


class JointFusion(nn.Module):
    """A block-causal transformer over [task | observation | readout] (Octo, arXiv:2405.12213, section III-A).

    The task's words look at each other, the observation also at the task, the readout token at all of them.
    What tokens are and where they are must be in them before they come here.

    Args:
        width: features of every token.
        heads: attention heads of each block; they divide `width`.
        layers: blocks.
    """

    def __init__(self, width: int, heads: int, layers: int = 2):
        super().__init__()
        self.readout = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.transformer = Transformer(width, heads, layers)

    def forward(self, tokens: Tensor, words: Words, extra: Tensor) -> Fused:
        """Fuse; the interface is that of `fusion.py`. Logits are of the readout in the last block: (B, heads, 1, N)."""
        batch, length = words.mask.shape
        sequence = torch.cat([words.states, tokens, extra, self.readout.expand(batch, -1, -1)], dim=1)  # (B, T, C)
        place = torch.arange(sequence.shape[1], device=tokens.device)
        block, readout = (place >= length).int(), place == len(place) - 1  # (T,) each
        present = torch.cat([words.mask, words.mask.new_ones(batch, len(place) - length)], dim=1)  # all but padding
        mask = block_causal_mask(block, readout) & present.unsqueeze(1)  # (B, T, T)
        outputs, logits = self.transformer(sequence, mask)
        return Fused(outputs[:, -1], logits[:, :, -1:, length : length + tokens.shape[1]])
