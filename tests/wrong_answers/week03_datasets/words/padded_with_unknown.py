# says: padding has the token of unknown words
from collections import Counter

import torch

from vla_course.data.tokenizer import split_words


def vocabulary(sentences, least):
    counts = Counter(word for sentence in sentences for word in split_words(sentence))
    return sorted(word for word in counts if counts[word] >= least)


def tokenize(sentences, words):
    token = {word: i + 2 for i, word in enumerate(words)}
    rows = [[token.get(word, 1) for word in split_words(sentence)] for sentence in sentences]
    length = max(map(len, rows))
    tokens = torch.tensor([row + [1] * (length - len(row)) for row in rows])
    return tokens, torch.tensor([[i < len(row) for i in range(length)] for row in rows])
