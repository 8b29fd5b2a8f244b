"""The transformer: blocks in which tokens look at each other, then think each for itself.

The picture encoder, the sentence encoder and the joint fusion all stand on it. They differ in their tokens and in
their mask.
"""

from torch import Tensor, nn

from vla_course.models.attention import CrossAttention


class Block(nn.Module):
    """One pre-norm block (Xiong et al. 2020, figure 1b; GPT-2 and ViT have the same).

    x = x + attention(norm(x));  x = x + mlp(norm(x))

    Args:
        width: features of a token.
        heads: attention heads; they divide `width`.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = CrossAttention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Tokens (B, N, C) to tokens (B, N, C), and the attention's logits (B, heads, N, N).

        `mask` is true where a token may look, as for `CrossAttention`.
        """
        normed = self.norm1(tokens)
        answers, logits = self.attention(normed, normed, mask)
        tokens = tokens + answers
        return tokens + self.mlp(self.norm2(tokens)), logits


class Transformer(nn.Module):
    """Blocks one after the other, and a last normalization, which pre-norm blocks need.

    Args:
        width: features of a token.
        heads: attention heads of each block; they divide `width`.
        layers: blocks.
    """

    def __init__(self, width: int, heads: int, layers: int):
        super().__init__()
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Tokens (B, N, C) to tokens (B, N, C), and the last block's attention logits (B, heads, N, N)."""
        for block in self.blocks:
            tokens, logits = block(tokens, mask)
        return self.norm(tokens), logits
