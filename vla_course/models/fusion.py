"""Fusion: the sentence and the picture become one answer. Three ways; `joint.py` has a fourth.

All have one interface, `forward(tokens, words, extra) -> Fused`:
    tokens: (B, N, C), of the pictures.
    words: (B, L, C), their mask and their pooled vector; see `Words`.
    extra: (B, S, C), other tokens, such as of the robot's state; S may be 0.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from vla_course.models.attention import CrossAttention
from vla_course.models.film import FiLM
from vla_course.models.language import Words


class Fused(NamedTuple):
    """What came of a fusion.

    Attributes:
        summary: (B, C), what was understood.
        logits: (B, heads, Q, N), where each of Q questions looked, before the softmax; None where nothing looks.
    """

    summary: Tensor
    logits: Tensor | None


class ConcatFusion(nn.Module):
    """Mean picture, sentence and state side by side, through a small network. Where things are is lost in the mean.

    Args:
        width: features of every token.
    """

    def __init__(self, width: int):
        super().__init__()
        self.mix = nn.Sequential(nn.Linear(3 * width, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, tokens: Tensor, words: Words, extra: Tensor) -> Fused:
        """Fuse; nothing looks, so there are no logits."""
        return Fused(self.mix(torch.cat([tokens.mean(1), words.pooled, extra.sum(1)], dim=1)), None)


class FiLMFusion(nn.Module):
    """The sentence scales and shifts the features of every token; then the strongest of each feature counts.

    ReLU and the maximum over all places follow Perez et al. 2018, section 3.

    Args:
        width: features of every token.
    """

    def __init__(self, width: int):
        super().__init__()
        self.layer = nn.Linear(width, width)
        self.film = FiLM(width, width)
        self.mix = nn.Linear(2 * width, width)

    def forward(self, tokens: Tensor, words: Words, extra: Tensor) -> Fused:
        """Fuse; nothing looks, so there are no logits."""
        features = self.film(self.layer(tokens).transpose(1, 2), words.pooled).relu()  # (B, C, N)
        return Fused(self.mix(torch.cat([features.amax(-1), extra.sum(1)], dim=1)), None)


class CrossAttentionFusion(nn.Module):
    """The sentence asks, the picture answers.

    Args:
        width: features of every token.
        heads: attention heads; they divide `width`.
        by_word: every word asks its own question, and the answers are averaged; otherwise the sentence asks one.
    """

    def __init__(self, width: int, heads: int, by_word: bool = False):
        super().__init__()
        self.by_word = by_word
        self.attention = CrossAttention(width, heads)
        self.mix = nn.Linear(2 * width, width)

    def forward(self, tokens: Tensor, words: Words, extra: Tensor) -> Fused:
        """Fuse; logits are (B, heads, L, N) by word, where rows of padding mean nothing, or (B, heads, 1, N)."""
        if self.by_word:
            answers, logits = self.attention(words.states, tokens)  # (B, L, C)
            asked = words.mask.unsqueeze(-1)
            answer = answers.masked_fill(~asked, 0.0).sum(1) / asked.sum(1)
        else:
            answers, logits = self.attention(words.pooled.unsqueeze(1), tokens)  # (B, 1, C)
            answer = answers.squeeze(1)
        return Fused(self.mix(torch.cat([answer, extra.sum(1)], dim=1)), logits)
