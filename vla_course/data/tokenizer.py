"""From a sentence to numbers: one token a word, or the tokens of a pretrained language model.

Padding and unknown words have tokens of their own. Where they share one, a short command and a command with an
unknown word look the same to the model.

Both tokenizers have the same verbs, so a language encoder takes either:
    `encode(sentence)` and `decode(tokens)`: one sentence to a list of ints, and back.
    `batch(sentences)`: (B, L) int64, padded at the end.
    `batch_with_mask(sentences)`: the same, and (B, L) bool, the attention mask: true where there is a token.
    `len(tokenizer)`: rows that an embedding needs. `tokenizer.pad`: the token of padding.
"""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vla_course.errors import CourseError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PAD, UNKNOWN = 0, 1
SPECIAL = ("<pad>", "<unk>")


class _Batches:
    """The verbs for several sentences, from `encode` and `pad`."""

    def batch(self, sentences: Sequence[str]) -> Tensor:
        """Tokens of several sentences, padded at the end to the longest: (B, L) int64."""
        return self.batch_with_mask(sentences)[0]

    def batch_with_mask(self, sentences: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Tokens of several sentences, and where they are: (B, L) int64, and (B, L) bool."""
        encoded = [self.encode(sentence) for sentence in sentences]
        length = max(map(len, encoded))
        tokens = torch.tensor([row + [self.pad] * (length - len(row)) for row in encoded])
        mask = torch.arange(length) < torch.tensor([len(row) for row in encoded]).unsqueeze(1)
        return tokens, mask


class WordTokenizer(_Batches):
    """A vocabulary of whole words.

    Args:
        words: the vocabulary, without the special tokens; word i has token i + 2.
    """

    pad = PAD

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
            raise _unreadable(sentence, self.words)
        return tokens

    def decode(self, tokens: Iterable[int]) -> str:
        """The sentence again, with "<unk>" for unknown words and without padding."""
        names = [*SPECIAL, *self.words]
        return " ".join(names[token] for token in tokens if token != PAD)


class PretrainedTokenizer(_Batches):
    """Any tokenizer of `transformers`, with the verbs of `WordTokenizer`.

    Its sentences have the special tokens that its model was trained with, such as BERT's [CLS] and [SEP]. Some
    tokenizers, such as GPT-2's, know no padding. Then another token takes its place, which is why models
    need the mask: the tokens alone do not tell padding.

    Args:
        tokenizer: such as `transformers.AutoTokenizer.from_pretrained(name)`.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase"):
        self.tokenizer = tokenizer
        candidates = (tokenizer.pad_token_id, tokenizer.eos_token_id, 0)
        self.pad: int = next(token for token in candidates if token is not None)

    def __len__(self) -> int:
        return len(self.tokenizer)

    def encode(self, sentence: str) -> list[int]:
        """The tokens of a sentence, special ones included.

        Raises:
            CourseError: no part of it is known, so the policy could not read it at all.
        """
        plain = self.tokenizer.encode(sentence, add_special_tokens=False)
        if all(token == self.tokenizer.unk_token_id for token in plain):
            raise _unreadable(sentence, sorted(filter(str.isalpha, self.tokenizer.get_vocab())))
        return self.tokenizer.encode(sentence)

    def decode(self, tokens: Iterable[int]) -> str:
        """The sentence again, as far as the tokenizer keeps it, without special tokens and padding."""
        return self.tokenizer.decode(list(tokens), skip_special_tokens=True)


def split_words(sentence: str) -> list[str]:
    """Lower-case words of letters and digits."""
    return re.findall(r"[a-z0-9]+", sentence.lower())


def _unreadable(sentence: str, words: list[str]) -> CourseError:
    known = ", ".join(words[:12])
    return CourseError(f"no word of {sentence!r} is known to the policy; it knows words such as: {known}")
