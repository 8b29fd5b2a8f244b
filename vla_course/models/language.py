"""Language encoders: from a sentence to a vector for each word, and one for all of it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vla_course.data.tokenizer import UNKNOWN, PretrainedTokenizer, WordTokenizer
from vla_course.errors import CourseError


class Words(NamedTuple):
    """B encoded sentences of at most L tokens.

    Attributes:
        states: (B, L, C), a vector for each token; encoders leave zeros in the padding.
        mask: (B, L) bool, true where there is a token.
        pooled: (B, C), a vector for the whole sentence.
    """

    states: Tensor
    mask: Tensor
    pooled: Tensor

    def through(self, layer: nn.Module) -> "Words":
        """States and pooled vector through one layer, such as to the width of the fusion."""
        return Words(layer(self.states), self.mask, layer(self.pooled))


class LanguageEncoder(nn.Module, ABC):
    """What every encoder can do. It also has `features`, the C of its vectors."""

    @abstractmethod
    def encode(self, sentences: Sequence[str]) -> Words:
        """Encode B sentences."""

    def forward(self, sentences: Sequence[str]) -> Tensor:
        """The pooled vectors of B sentences: (B, C)."""
        return self.encode(sentences).pooled


def average(states: Tensor, mask: Tensor) -> Words:
    """Words whose pooled vector is the mean of the states (B, L, C) where the mask (B, L) is true."""
    states = states.masked_fill(~mask.unsqueeze(-1), 0.0)
    return Words(states, mask, states.sum(1) / mask.sum(1, keepdim=True))


def hide_words(tokenizer: WordTokenizer | PretrainedTokenizer, tokens: Tensor, mask: Tensor, rate: float) -> Tensor:
    """Replace some tokens by the unknown one, so that a sentence with a new word in it still finds its way.

    Args:
        tokenizer: of the tokens; one without an unknown token, such as GPT-2's, can read every word, and hides none.
        tokens: (B, L) int64.
        mask: (B, L) bool, true where there is a token.
        rate: probability that a token is replaced.
    """
    unknown = UNKNOWN if isinstance(tokenizer, WordTokenizer) else tokenizer.tokenizer.unk_token_id
    if unknown is None:
        return tokens
    replace = (torch.rand(tokens.shape) < rate).to(tokens.device)
    return torch.where(replace & mask, unknown, tokens)


class BagOfWords(LanguageEncoder):
    """A vector for each word, and their mean: "the ball on the cube" and "the cube on the ball" are the same to it.

    Args:
        tokenizer: the vocabulary.
        width: features of a word.
        unknown_rate: probability that a word is replaced while training.
    """

    def __init__(self, tokenizer: WordTokenizer | PretrainedTokenizer, width: int, unknown_rate: float = 0.05):
        super().__init__()
        self.tokenizer = tokenizer
        self.unknown_rate = unknown_rate
        self.embedding = nn.Embedding(len(tokenizer), width)
        self.features = width

    def encode(self, sentences: Sequence[str]) -> Words:
        """Encode B sentences."""
        tokens, mask = (x.to(self.embedding.weight.device) for x in self.tokenizer.batch_with_mask(sentences))
        if self.training:
            tokens = hide_words(self.tokenizer, tokens, mask, self.unknown_rate)
        return average(self.embedding(tokens), mask)


class GRUEncoder(LanguageEncoder):
    """A recurrent network over word embeddings (Cho et al. 2014), trained from scratch.

    Args:
        tokenizer: the vocabulary.
        width: features of the sentence vector.
        unknown_rate: probability that a word is replaced while training.
    """

    def __init__(self, tokenizer: WordTokenizer | PretrainedTokenizer, width: int, unknown_rate: float = 0.05):
        super().__init__()
        self.tokenizer = tokenizer
        self.unknown_rate = unknown_rate
        self.embedding = nn.Embedding(len(tokenizer), width, padding_idx=tokenizer.pad)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.features = width

    def encode(self, sentences: Sequence[str]) -> Words:
        """Encode B sentences; the state after the last word is the pooled vector."""
        tokens, mask = (x.to(self.embedding.weight.device) for x in self.tokenizer.batch_with_mask(sentences))
        if self.training:
            tokens = hide_words(self.tokenizer, tokens, mask, self.unknown_rate)
        states, _ = self.gru(self.embedding(tokens))
        last = states[torch.arange(len(tokens)), mask.sum(1) - 1]
        return Words(states.masked_fill(~mask.unsqueeze(-1), 0.0), mask, last)


class PretrainedTextEncoder(LanguageEncoder):
    """Any text model of `transformers`: BERT and its sentence models, CLIP's text half, T5's encoder.

    The pooled vector is the mean over the sentence, as in Sentence-BERT (Reimers and Gurevych 2019); BERT's
    [CLS] says little where nothing trained it.

    Args:
        name: a local folder or a hub id, such as "google-bert/bert-base-uncased".
        frozen: keep its weights as they are.

    Raises:
        CourseError: it is neither here nor to be fetched.
    """

    def __init__(self, name: str, frozen: bool = True):
        super().__init__()
        from transformers import AutoModel, AutoTokenizer

        try:
            self.tokenizer = PretrainedTokenizer(AutoTokenizer.from_pretrained(name))
            model = AutoModel.from_pretrained(name)
        except (OSError, ValueError) as error:
            raise CourseError(
                f'language encoder {name!r} is neither "bag", "gru" or "transformer", nor a local folder, nor to be '
                f"fetched ({str(error).splitlines()[0]}); give a local path or connect"
            ) from None
        if hasattr(model, "decoder"):
            model = model.get_encoder()  # T5: its decoder would write an answer, which nobody asks for
        self.model = getattr(model, "text_model", model)  # CLIP: without the half that sees
        self.model.requires_grad_(not frozen)
        self.frozen = frozen
        self.features = self.model.config.hidden_size
        positions = getattr(self.model.config, "max_position_embeddings", None) or float("inf")
        self.longest = min(positions, self.tokenizer.tokenizer.model_max_length)
        self.train()

    def train(self, mode: bool = True) -> "PretrainedTextEncoder":
        """Train or evaluate; frozen, it only evaluates, for dropout would disturb what is learned from it."""
        return super().train(mode and not self.frozen)

    def encode(self, sentences: Sequence[str]) -> Words:
        """Encode B sentences.

        Raises:
            CourseError: a sentence has more tokens than the model has positions.
        """
        tokens, mask = (x.to(self.model.device) for x in self.tokenizer.batch_with_mask(sentences))
        if tokens.shape[1] > self.longest:
            raise CourseError(
                f"a sentence of {tokens.shape[1]} tokens is too long for the language encoder, which takes "
                f"{self.longest}; shorten it"
            )
        return average(self.model(input_ids=tokens, attention_mask=mask.long()).last_hidden_state, mask)
