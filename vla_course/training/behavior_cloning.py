"""What behavior cloning starts from: a fresh policy that fits the demonstrations."""

from pathlib import Path

from vla_course.data.store import read_metadata
from vla_course.data.tokenizer import WordTokenizer
from vla_course.data.windows import WindowDataset
from vla_course.models.policy import VLAConfig, VLAPolicy, closed_loop


def demonstrations(root: Path) -> WindowDataset:
    """A data set as behavior cloning wants it: one window from each episode where its actions are waypoints, and one
    from each step, with chunks as long as those of `closed_loop`, where they are moves of 0.1 s.

    Args:
        root: the data set.

    Raises:
        CourseError: as `WindowDataset`.
    """
    if read_metadata(root).get("action_mode", "waypoint") == "waypoint":
        return WindowDataset(root)
    return WindowDataset(root, chunk=closed_loop().chunk, every_step=True)


def new_policy(dataset: WindowDataset, seed: int, **fields: object) -> VLAPolicy:
    """A policy whose vocabulary, cameras and kind of actions are those of the demonstrations.

    Args:
        dataset: the demonstrations.
        seed: of its first weights.
        fields: of `VLAConfig`, in place of its own.
    """
    recorded = dataset.metadata
    fields = {
        "words": WordTokenizer.from_sentences(episode["instruction"] for episode in dataset.episodes).words,
        "chunk": dataset.chunk,
        **fields,
    }
    if recorded["action_mode"] == "waypoint":
        return VLAPolicy.seeded(VLAConfig(**{"cameras": recorded["cameras"][:1], **fields}), seed)
    return VLAPolicy.seeded(closed_loop(**{"cameras": recorded["cameras"], **fields}), seed)
