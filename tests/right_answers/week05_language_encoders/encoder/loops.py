import torch
from torch import nn

from vla_course.data.tokenizer import split_words
from vla_course.models.language import Words


class SentenceEncoder(nn.Module):
    def __init__(self, words, width):
        super().__init__()
        self.words, self.features = list(words), width
        self.embedding = nn.Embedding(len(words) + 2, width, padding_idx=0)
        self.gru = nn.GRU(width, width, batch_first=True)

    def encode(self, sentences):
        rows = []
        for sentence in sentences:
            known = [self.words.index(word) + 2 if word in self.words else 1 for word in split_words(sentence)]
            rows.append(torch.tensor([1 if self.training and torch.rand(()) < 0.05 else token for token in known]))
        tokens = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        states = self.gru(self.embedding(tokens))[0]
        mask = torch.zeros(tokens.shape, dtype=torch.bool)
        for row, known in zip(mask, rows, strict=True):
            row[: len(known)] = True
        pooled = torch.stack([state[len(known) - 1] for state, known in zip(states, rows, strict=True)])
        return Words(states * mask.unsqueeze(-1), mask, pooled)
