# says: draw for each sentence anew
import torch
from torch import nn

from vla_course.data.tokenizer import split_words
from vla_course.models.language import Words


class SentenceEncoder(nn.Module):
    """A GRU over the words of a sentence."""

    def __init__(self, words, width):
        super().__init__()
        self.token = {word: i + 2 for i, word in enumerate(words)}
        self.embedding = nn.Embedding(len(words) + 2, width, padding_idx=0)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.features = width

    def encode(self, sentences):
        """A list of B texts to Words: states (B, L, width), mask (B, L), pooled (B, width)."""
        rows = [[self.token.get(word, 1) for word in split_words(sentence)] for sentence in sentences]
        length = max(map(len, rows))
        tokens = torch.tensor([row + [0] * (length - len(row)) for row in rows])
        mask = torch.tensor([[i < len(row) for i in range(length)] for row in rows])
        if self.training:
            hidden = torch.rand(1, length) < 0.05
            tokens = torch.where(hidden & mask, 1, tokens)
        states, _ = self.gru(self.embedding(tokens))
        last = states[torch.arange(len(rows)), mask.sum(1) - 1]
        return Words(states.masked_fill(~mask.unsqueeze(-1), 0.0), mask, last)
