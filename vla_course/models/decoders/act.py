"""ACT: action chunking with transformers, a conditional variational autoencoder (Zhao et al. 2023, arXiv:2304.13705).

People do the same thing in different ways. While training, an encoder reads the demonstrated actions and tells the
decoder in a few numbers z *how* they were done; the KL term keeps z small. So the decoder need not average over the
ways. To act, z = 0: one way, the one in the middle.
"""

import torch
from torch import Generator, Tensor, nn

from vla_course.models.decoders.interface import check_chunk, masked_mean


class ACTDecoder(nn.Module):
    """A conditional variational autoencoder of chunks (Zhao et al. 2023, section 4 and appendix C).

    Args:
        inputs: features of the context.
        chunk: actions.
        action: numbers in each.
        width: features of a token.
        heads: attention heads.
        layers: of the encoder and of the decoder.
        style: numbers in z.
        beta: weight of the KL term.
    """

    def __init__(
        self,
        inputs: int,
        chunk: int,
        action: int,
        width: int = 64,
        heads: int = 4,
        layers: int = 1,
        style: int = 32,
        beta: float = 10.0,
    ):
        super().__init__()
        self.shape = (chunk, action)
        self.beta = beta
        options = {"dropout": 0.0, "batch_first": True, "norm_first": True}
        # The encoder: [CLS, context, actions] to the distribution of z.
        self.cls = nn.Parameter(0.02 * torch.randn(width))
        self.encode_context = nn.Linear(inputs, width)
        self.encode_action = nn.Linear(action, width)
        self.encode_position = nn.Parameter(0.02 * torch.randn(chunk, width))
        self.encoder = nn.ModuleList(
            nn.TransformerEncoderLayer(width, heads, 4 * width, **options) for _ in range(layers)
        )
        self.encode_style = nn.Linear(width, 2 * style)
        # The decoder: one query for each action of the chunk, asking the context and z.
        self.decode_context = nn.Linear(inputs, width)
        self.decode_style = nn.Linear(style, width)
        self.queries = nn.Parameter(0.02 * torch.randn(chunk, width))
        self.decoder = nn.ModuleList(
            nn.TransformerDecoderLayer(width, heads, 4 * width, **options) for _ in range(layers)
        )
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, action))

    def posterior(self, context: Tensor, actions: Tensor, keep: Tensor) -> tuple[Tensor, Tensor]:
        """The encoder: how were these actions done?

        Args:
            context: (B, D).
            actions: (B, T, A), normalized.
            keep: (B, T) bool; padded rows are hidden from the attention.

        Returns:
            Mean and logarithm of the variance of z, (B, style) each.
        """
        actions = self.encode_action(actions) + self.encode_position
        first = torch.stack([self.cls.expand(len(context), -1), self.encode_context(context)], dim=1)
        hidden = torch.cat([first, actions], dim=1)  # (B, 2 + T, width)
        padded = nn.functional.pad(~keep, (2, 0), value=False)
        for layer in self.encoder:
            hidden = layer(hidden, src_key_padding_mask=padded)
        mean, log_variance = self.encode_style(hidden[:, 0]).chunk(2, dim=-1)
        return mean, log_variance

    def decode(self, context: Tensor, z: Tensor) -> Tensor:
        """Actions (B, T, A) of contexts (B, D), done in the way z (B, style)."""
        memory = torch.stack([self.decode_context(context), self.decode_style(z)], dim=1)  # (B, 2, width)
        hidden = self.queries.expand(len(context), -1, -1)
        for layer in self.decoder:
            hidden = layer(hidden, memory)
        return self.leave(hidden)

    def loss(self, context: Tensor, actions: Tensor, keep: Tensor, generator: Generator | None = None) -> Tensor:
        """L1 + beta * KL(posterior || N(0, 1)); see `ActionDecoder.loss`."""
        check_chunk(actions, keep, self.shape)
        mean, log_variance = self.posterior(context, actions, keep)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device)
        z = mean + noise * (log_variance / 2).exp()
        error = masked_mean((self.decode(context, z) - actions).abs(), keep)
        return error + self.beta * kl_divergence(mean, log_variance).mean()

    def sample(self, context: Tensor, generator: Generator | None = None) -> Tensor:
        """Actions (B, chunk, action) at z = 0. Nothing is drawn."""
        return self.decode(context, context.new_zeros(len(context), self.decode_style.in_features))


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)), summed over z (Kingma & Welling 2014, arXiv:1312.6114, appendix B).

    Args:
        mean, log_variance: (B, style).

    Returns:
        (B,).
    """
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1) / 2
