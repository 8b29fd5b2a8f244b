"""A frozen language encoder says the same thing every time: remember it.

Training sees each sentence thousands of times, and a data set has a few hundred different ones.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vla_course.errors import CourseError
from vla_course.models.language import LanguageEncoder, Words


class WordCache(LanguageEncoder):
    """A frozen language encoder that encodes each sentence once. What it remembers is not saved with the weights.

    Args:
        encoder: such as `PretrainedTextEncoder(name, frozen=True)`.

    Raises:
        CourseError: the encoder still learns, so that what was remembered would soon be wrong.
    """

    def __init__(self, encoder: LanguageEncoder):
        super().__init__()
        trained = [name for name, parameter in encoder.named_parameters() if parameter.requires_grad]
        if trained:
            raise CourseError(
                f"a language encoder that learns cannot be cached ({len(trained)} trained weights, such as "
                f"{trained[0]}); freeze it with requires_grad_(False), or use it without a cache"
            )
        self.encoder = encoder
        self.features = encoder.features
        self._known: dict[str, tuple[Tensor, Tensor]] = {}  # sentence: its states (L, C), its pooled vector (C,)
        self.register_load_state_dict_post_hook(_forget)
        self.train()

    def train(self, mode: bool = True) -> "WordCache":
        """Train or evaluate; the encoder only evaluates, for it would hide words or drop features at random."""
        super().train(mode)
        self.encoder.eval()
        return self

    def encode(self, sentences: Sequence[str]) -> Words:
        """As the encoder's own."""
        new = [sentence for sentence in dict.fromkeys(sentences) if sentence not in self._known]
        if new:
            with torch.no_grad():
                words = self.encoder.encode(new)
            for sentence, states, mask, pooled in zip(new, *words, strict=True):
                self._known[sentence] = (states[mask], pooled)
        device = next(self.encoder.parameters()).device
        states, pooled = zip(*(self._known[sentence] for sentence in sentences), strict=True)
        padded = nn.utils.rnn.pad_sequence(states, batch_first=True).to(device)  # (B, L, C)
        lengths = torch.tensor([len(x) for x in states], device=device)
        mask = torch.arange(padded.shape[1], device=device) < lengths.unsqueeze(1)
        return Words(padded, mask, torch.stack(pooled).to(device))


def _forget(cache: WordCache, _: object) -> None:
    """Other weights say other things."""
    cache._known.clear()
