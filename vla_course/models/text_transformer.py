"""A sentence encoder from scratch: embedding, positions, and a transformer in which words look at each other."""

from collections.abc import Sequence

from torch import nn

from vla_course.data.tokenizer import PretrainedTokenizer, WordTokenizer
from vla_course.models.language import LanguageEncoder, Words, average, hide_words
from vla_course.models.positions import sine_positions
from vla_course.models.transformer import Transformer


class TransformerTextEncoder(LanguageEncoder):
    """A transformer over the words of a sentence (Vaswani et al. 2017, section 3; pre-norm), trained from scratch.

    Args:
        tokenizer: the vocabulary.
        width: features of a word; even, and divisible by `heads`.
        layers: blocks.
        heads: attention heads of each block.
        unknown_rate: probability that a word is replaced while training.
    """

    def __init__(
        self,
        tokenizer: WordTokenizer | PretrainedTokenizer,
        width: int,
        layers: int = 2,
        heads: int = 4,
        unknown_rate: float = 0.05,
    ):
        super().__init__()
        self.tokenizer = tokenizer
        self.unknown_rate = unknown_rate
        self.embedding = nn.Embedding(len(tokenizer), width)
        self.transformer = Transformer(width, heads, layers)
        self.features = width

    def encode(self, sentences: Sequence[str]) -> Words:
        """Encode B sentences; the mean over a sentence is the pooled vector."""
        tokens, mask = (x.to(self.embedding.weight.device) for x in self.tokenizer.batch_with_mask(sentences))
        if self.training:
            tokens = hide_words(self.tokenizer, tokens, mask, self.unknown_rate)
        embedded = self.embedding(tokens)  # (B, L, C)
        positions = sine_positions(tokens.shape[1], self.features).to(embedded)
        states, _ = self.transformer(embedded + positions, mask.unsqueeze(1))  # nobody looks at padding
        return average(states, mask)
