"""From a sentence to numbers: one token a word.

Padding and unknown words have tokens of their own. Where they share one, a short command and a command with an
unknown word look the same to the model.
"""

import re
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from vla_course.errors import CourseError

PAD, UNKNOWN = 0, 1
SPECIAL = ("<pad>", "<unk>")


class WordTokenizer:
    """A vocabulary of whole words.

    Args:
        words: the vocabulary, without the special tokens; word i has token i + 2.
    """

    def __init__(self, words: Sequence[str]):
        self.words = list(words)
        self._token = {word: i + len(SPECIAL) for i, word in enumerate(self.words)}

    @classmethod
    def from_sentences(cls, sentences: Iterable[str]) -> "WordTokenizer":
        """The vocabulary of some sentences, in alphabetical order."""
        return cls(sorted({word for sentence in sentences for word in split_words(sentence)}))

    def __len__(self) -> int:
        return len(self.words) + len(SPECIAL)

    def encode(self, sentence: str) -> list[int]:
        """The tokens of a sentence.

        Raises:
            CourseError: no word of it is known, so the policy could not read it at all.
        """
        tokens = [self._token.get(word, UNKNOWN) for word in split_words(sentence)]
        if all(token == UNKNOWN for token in tokens):
            known = ", ".join(self.words[:12])
            raise CourseError(f"no word of {sentence!r} is known to the policy; it knows words such as: {known}")
        return tokens

    def decode(self, tokens: Iterable[int]) -> str:
        """The sentence again, with "<unk>" for unknown words and without padding."""
        names = [*SPECIAL, *self.words]
        return " ".join(names[token] for token in tokens if token != PAD)

    def batch(self, sentences: Sequence[str]) -> Tensor:
        """Tokens of several sentences, padded at the end to the longest: (B, L) int64."""
        encoded = [self.encode(sentence) for sentence in sentences]
        length = max(map(len, encoded))
        return torch.tensor([tokens + [PAD] * (length - len(tokens)) for tokens in encoded])


def split_words(sentence: str) -> list[str]:
    """Lower-case words of letters and digits."""
    return re.findall(r"[a-z0-9]+", sentence.lower())
