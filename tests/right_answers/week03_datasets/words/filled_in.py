import numpy as np
import torch

from vla_course.data.tokenizer import split_words


def vocabulary(sentences, least):
    words = sum((split_words(sentence) for sentence in sentences), [])
    return [str(word) for word, count in zip(*np.unique(words, return_counts=True), strict=True) if count >= least]


def tokenize(sentences, words):
    split = [split_words(sentence) for sentence in sentences]
    tokens = torch.zeros(len(split), max(len(row) for row in split), dtype=torch.long)
    for i, row in enumerate(split):
        for j, word in enumerate(row):
            tokens[i, j] = words.index(word) + 2 if word in words else 1
    return tokens, tokens != 0
