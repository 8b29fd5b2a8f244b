"""Action tokens: each number is one of some bins, and the decoder says how likely each bin is.

RT-1 and RT-2 (arXiv:2212.06817, arXiv:2307.15818) act by tokens. Here all of a chunk are written at once, as in
OpenVLA-OFT's parallel decoding (arXiv:2502.19645); autoregressive.py writes one after the other.

Bins as classes forget that bin 7 lies beside bin 8: a near miss costs as much as a far one, and each bin must be
learned from the few actions in it. Where the distribution is flat, the likeliest bin is then a matter of chance, and
the robot takes a jump that no demonstration shows. What helps is labels that spread over the bins around the
action; then the distribution is smooth, and its expectation is worth reading in place of the likeliest bin.
"""

from typing import Literal, get_args

import numpy as np
import torch
from torch import Generator, Tensor, nn

from vla_course.data.action_tokens import ActionBins
from vla_course.errors import CourseError, one_of
from vla_course.models.decoders.interface import check_chunk, masked_mean

Choice = Literal["argmax", "expectation", "sample"]


class Bins(nn.Module):
    """The bins of normalized actions, saved with the policy.

    Args:
        action: numbers in an action, A.
        count: bins of each, n.
        spread: standard deviation of the labels around an action, in normalized units; 0 gives all to one bin.
    """

    def __init__(self, action: int, count: int, spread: float):
        super().__init__()
        self.spread = spread
        self.register_buffer("edges", torch.full((action, count + 1), torch.nan))

    def set(self, bins: ActionBins) -> None:
        """Take the bins, in normalized units, such as `uniform_bins` or `quantile_bins` of normalized actions.

        Raises:
            CourseError: of another number of columns or bins.
        """
        edges = torch.as_tensor(bins.edges, dtype=torch.float32)
        if edges.shape != self.edges.shape:
            columns, count = self.edges.shape
            raise CourseError(
                f"bins for {edges.shape[0]} columns, {edges.shape[1] - 1} each; this decoder is built for {columns} "
                f"columns, {count - 1} each"
            )
        self.edges.copy_(edges)

    @property
    def centers(self) -> Tensor:
        """What each token stands for: (A, n), in normalized units."""
        edges = self._known()
        return (edges[:, :-1] + edges[:, 1:]) / 2

    def encode(self, actions: Tensor) -> Tensor:
        """The tokens (..., A) of normalized actions (..., A)."""
        return ActionBins(self._known().cpu().numpy().astype(np.float64)).encode(actions)

    def decode(self, tokens: Tensor) -> Tensor:
        """The normalized actions (..., A) of tokens (..., A)."""
        return self.centers.gather(1, tokens.flatten(0, -2).T).T.view(tokens.shape)

    def _known(self) -> Tensor:
        if self.edges[0, 0].isnan():
            raise CourseError("the decoder has no bins yet; call decoder.bins.set(...) before it trains or acts")
        return self.edges

    def labels(self, actions: Tensor) -> Tensor:
        """How likely each bin should be: (..., A, n) of normalized actions (..., A); needs a spread.

        A Gaussian around the action itself, read at the centers of the bins and scaled to sum to 1. It says where
        between two centers the action lies, and that bins close by are nearly right (Imani & White 2018,
        arXiv:1806.04613).
        """
        distance = (actions.unsqueeze(-1) - self.centers) / self.spread
        return (-distance.square() / 2).softmax(-1)

    def cross_entropy(self, logits: Tensor, actions: Tensor) -> Tensor:
        """Of each number: (..., A), for logits (..., A, n) and normalized actions (..., A)."""
        likely = logits.log_softmax(-1)
        if self.spread > 0:
            return -(self.labels(actions) * likely).sum(-1)
        return -likely.gather(-1, self.encode(actions).unsqueeze(-1)).squeeze(-1)


class TokenDecoder(nn.Module):
    """Tokens in parallel: the numbers of a chunk do not know of each other.

    All numbers share the last layer, as all words of a language model share its vocabulary. A layer of its own for
    each of the T * A numbers would make the decoder several times as large, and learn each row from little data.

    Before it trains or acts, give it its bins: `decoder.bins.set(...)`.

    Args:
        inputs: features of the context.
        chunk: actions.
        action: numbers in each.
        bins: of each number; 256 in RT-2.
        width: hidden features.
        features: of each number, from which the shared layer tells the bins apart.
        spread: of the labels; see `Bins`.
        choice: "argmax", the likeliest bin; "expectation", the mean of all bins, each as much as it is likely; or
            "sample", a bin drawn at random.

    Raises:
        CourseError: another choice.
    """

    def __init__(
        self,
        inputs: int,
        chunk: int,
        action: int,
        bins: int = 256,
        width: int = 128,
        features: int = 32,
        spread: float = 0.0,
        choice: Choice = "argmax",
    ):
        super().__init__()
        one_of("choice", choice, get_args(Choice))
        self.shape = (chunk, action)
        self.choice = choice
        self.bins = Bins(action, bins, spread)
        self.layers = nn.Sequential(
            nn.Linear(inputs, width),
            nn.ReLU(),
            nn.Linear(width, chunk * action * features),
            nn.Unflatten(1, (chunk, action, features)),
            nn.Linear(features, bins),
        )

    def forward(self, context: Tensor) -> Tensor:
        """Logits (B, chunk, action, bins) of contexts (B, inputs)."""
        return self.layers(context)

    def loss(self, context: Tensor, actions: Tensor, keep: Tensor, generator: Generator | None = None) -> Tensor:
        """Cross-entropy of the tokens; see `ActionDecoder.loss`. Nothing is drawn."""
        check_chunk(actions, keep, self.shape)
        return masked_mean(self.bins.cross_entropy(self(context), actions), keep)

    def sample(self, context: Tensor, generator: Generator | None = None) -> Tensor:
        """Actions (B, chunk, action), by `choice`."""
        logits = self(context)
        if self.choice == "expectation":
            return (logits.softmax(-1) * self.bins.centers).sum(-1)
        return self.bins.decode(choose(logits, self.bins.centers, self.choice, generator))


def choose(logits: Tensor, centers: Tensor, choice: Choice, generator: Generator | None) -> Tensor:
    """One token of each distribution.

    Args:
        logits: (..., n).
        centers: what the tokens stand for, (..., n) or (n,).
        choice: "argmax", the likeliest; "expectation", the nearest to the mean; "sample", drawn at random.
        generator: of the draws.

    Returns:
        (...).
    """
    if choice == "argmax":
        return logits.argmax(-1)
    likely = logits.softmax(-1)
    if choice == "expectation":
        mean = (likely * centers).sum(-1, keepdim=True)
        return (centers - mean).abs().argmin(-1)
    return torch.multinomial(likely.flatten(0, -2), 1, generator=generator).view(logits.shape[:-1])
