"""Action tokens one after the other, as a language model writes words: each token sees all that came before it.

    p(tokens | context) = product over i of p(token i | context, tokens before i)

RT-2 and OpenVLA (arXiv:2307.15818, arXiv:2406.09246) write actions in this way. Training needs one pass for all
tokens, since the demonstrated ones are known (teacher forcing) and a causal mask hides those that come later. Acting
needs one pass for each token, T * A in all.
"""

from typing import get_args

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from vla_course.errors import one_of
from vla_course.models.decoders.interface import check_chunk, masked_mean
from vla_course.models.decoders.tokens import Bins, Choice, choose


class CausalBlock(nn.Module):
    """A pre-norm transformer block that sees only the past (Vaswani et al. 2017, section 3.2.3).

    Args:
        width: features of a token; divisible by `heads`.
        heads: attention heads.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor, past: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mix each token with those before it.

        Args:
            x: (B, N, C), all tokens; or (B, 1, C), the next one, if `past` is given.
            past: (2, B, heads, P, C / heads), keys and values of the tokens before `x`.

        Returns:
            (B, N, C), and the keys and values of all tokens so far.
        """
        batch, count, width = x.shape
        split = self.query_key_value(self.attention_norm(x)).view(batch, count, 3, self.heads, -1)
        query, *pair = split.permute(2, 0, 3, 1, 4)  # each (B, heads, N, C / heads)
        now = torch.stack(pair) if past is None else torch.cat([past, torch.stack(pair)], dim=-2)
        # One token alone comes last, and may see everything in the cache: it needs no mask.
        mixed = functional.scaled_dot_product_attention(query, now[0], now[1], is_causal=past is None)
        x = x + self.output(mixed.transpose(1, 2).flatten(2))
        return x + self.mlp(x), now


class AutoregressiveDecoder(nn.Module):
    """A small causal transformer over the T * A tokens of a chunk: action by action, number by number.

    Before it trains or acts, give it its bins: `decoder.bins.set(...)`.

    Args:
        inputs: features of the context.
        chunk: actions.
        action: numbers in each.
        bins: of each number.
        width: features of a token.
        heads: attention heads.
        blocks: transformer blocks.
        spread: of the labels; see `Bins`.
        choice: "argmax", the likeliest token; "expectation", the one nearest to the mean of all bins, each as much as
            it is likely; or "sample", one drawn at random.

    Raises:
        CourseError: another choice.
    """

    def __init__(
        self,
        inputs: int,
        chunk: int,
        action: int,
        bins: int = 256,
        width: int = 64,
        heads: int = 4,
        blocks: int = 1,
        spread: float = 0.0,
        choice: Choice = "argmax",
    ):
        super().__init__()
        one_of("choice", choice, get_args(Choice))
        self.shape = (chunk, action)
        self.choice = choice
        self.bins = Bins(action, bins, spread)
        self.start = nn.Linear(inputs, width)  # the context takes the place of a first token
        self.words = nn.Embedding(bins, width)
        self.position = nn.Parameter(0.02 * torch.randn(chunk * action, width))
        self.blocks = nn.ModuleList(CausalBlock(width, heads) for _ in range(blocks))
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, bins))

    def forward(self, context: Tensor, tokens: Tensor) -> Tensor:
        """Logits of every token, each given the true ones before it.

        Args:
            context: (B, D).
            tokens: (B, T, A), the true ones.

        Returns:
            (B, T, A, bins).
        """
        before = self.words(tokens.flatten(1)[:, :-1])  # the last token is nobody's past
        x = torch.cat([self.start(context).unsqueeze(1), before], dim=1) + self.position  # (B, T * A, width)
        for block in self.blocks:
            x, _ = block(x)
        return self.leave(x).unflatten(1, self.shape)

    def loss(self, context: Tensor, actions: Tensor, keep: Tensor, generator: Generator | None = None) -> Tensor:
        """Cross-entropy of the tokens; see `ActionDecoder.loss`.

        Padded rows come last in a window, so no row that counts sees them. A decoder that was only ever told true
        tokens learns to copy them with small changes, and adds up its own errors when it writes (exposure bias: Bengio
        et al. 2015, arXiv:1506.03099). So what it is told is drawn as vaguely as its labels are.
        """
        check_chunk(actions, keep, self.shape)
        told = actions
        if self.bins.spread > 0:
            noise = torch.randn(actions.shape, generator=generator, device=actions.device)
            told = actions + self.bins.spread * noise
        logits = self(context, self.bins.encode(told))
        return masked_mean(self.bins.cross_entropy(logits, actions), keep)

    @torch.no_grad()
    def sample(self, context: Tensor, generator: Generator | None = None) -> Tensor:
        """Actions (B, chunk, action), written token by token."""
        return self.bins.decode(self.write(context, generator)[0])

    def write(self, context: Tensor, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """Write a chunk token by token, with a cache of the keys and values of those already written.

        Returns:
            The tokens (B, T, A), and the logits that each was chosen from (B, T, A, bins).
        """
        caches: list[Tensor | None] = [None] * len(self.blocks)
        x, tokens, logits = self.start(context), [], []
        for place, position in enumerate(self.position):
            x = (x + position).unsqueeze(1)  # (B, 1, width)
            for i, block in enumerate(self.blocks):
                x, caches[i] = block(x, caches[i])
            logits.append(self.leave(x[:, 0]))
            tokens.append(choose(logits[-1], self.bins.centers[place % self.shape[1]], self.choice, generator))
            x = self.words(tokens[-1])
        return torch.stack(tokens, 1).unflatten(1, self.shape), torch.stack(logits, 1).unflatten(1, self.shape)
