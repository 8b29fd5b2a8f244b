"""Language encoders: from a sentence to one vector."""

import torch
from torch import Tensor, nn

from vla_course.data.tokenizer import PAD, UNKNOWN, WordTokenizer
from vla_course.errors import CourseError


class GRUEncoder(nn.Module):
    """A recurrent network over word embeddings, trained from scratch.

    While training, some words are replaced by the unknown word, so that a sentence with a new word
    in it still finds its way.

    Args:
        tokenizer: the vocabulary.
        width: features of the sentence vector.
        unknown_rate: probability that a word is replaced while training.
    """

    def __init__(self, tokenizer: WordTokenizer, width: int, unknown_rate: float = 0.05):
        super().__init__()
        self.tokenizer = tokenizer
        self.unknown_rate = unknown_rate
        self.embedding = nn.Embedding(len(tokenizer), width, padding_idx=PAD)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.features = width

    def forward(self, sentences: list[str]) -> Tensor:
        """Encode B sentences: (B, C)."""
        tokens = self.tokenizer.batch(sentences).to(self.embedding.weight.device)
        lengths = (tokens != PAD).sum(1)
        if self.training:
            replace = (torch.rand(tokens.shape) < self.unknown_rate).to(tokens.device)
            tokens = torch.where(replace & (tokens != PAD), UNKNOWN, tokens)
        states, _ = self.gru(self.embedding(tokens))
        return states[torch.arange(len(tokens)), lengths - 1]  # the state after each last word


class PretrainedTextEncoder(nn.Module):
    """Any text model of `transformers`, averaged over the words of the sentence.

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
            self.tokenizer = AutoTokenizer.from_pretrained(name)
            self.model = AutoModel.from_pretrained(name)
        except (OSError, ValueError) as error:
            raise CourseError(
                f'language encoder {name!r} is neither "gru", nor a local folder, nor to be fetched '
                f"({str(error).splitlines()[0]}); give a local path or connect"
            ) from None
        self.model.requires_grad_(not frozen)
        self.features = self.model.config.hidden_size

    def forward(self, sentences: list[str]) -> Tensor:
        """Encode B sentences: (B, C)."""
        tokens = self.tokenizer(list(sentences), padding=True, return_tensors="pt").to(self.model.device)
        states = self.model(**tokens).last_hidden_state
        mask = tokens["attention_mask"].unsqueeze(-1).to(states.dtype)
        return (states * mask).sum(1) / mask.sum(1)
