"""What behavior cloning starts from: a fresh policy that fits the demonstrations."""

from vla_course.data.tokenizer import WordTokenizer
from vla_course.data.windows import WindowDataset
from vla_course.models.policy import VLAConfig, VLAPolicy


def new_policy(dataset: WindowDataset, seed: int) -> VLAPolicy:
    """A policy whose vocabulary is that of the demonstrations.

    Args:
        dataset: the demonstrations.
        seed: of its first weights.
    """
    words = WordTokenizer.from_sentences(episode["instruction"] for episode in dataset.episodes).words
    return VLAPolicy.seeded(VLAConfig(words=words, camera=dataset.metadata["cameras"][0]), seed)
