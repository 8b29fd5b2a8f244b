"""What behavior cloning starts from: a fresh policy that fits the demonstrations."""

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

from vla_course.data.store import read_metadata
from vla_course.data.tokenizer import WordTokenizer
from vla_course.data.windows import WindowDataset
from vla_course.errors import CourseError, one_of
from vla_course.models.policy import ACTION, VLAConfig, VLAPolicy, closed_loop


def demonstrations(root: Path, chunk: int | None = None) -> WindowDataset:
    """A data set as behavior cloning wants it: one window from each episode where its actions are waypoints, and one
    from each step, with chunks as long as those of `closed_loop`, where they are moves of 0.1 s.

    Args:
        root: the data set.
        chunk: actions in a window; None for as many as the policy plans by itself.

    Raises:
        CourseError: as `WindowDataset`.
    """
    if read_metadata(root).get("action_mode", "waypoint") == "waypoint":
        return WindowDataset(root, chunk=chunk or VLAConfig().chunk)
    return WindowDataset(root, chunk=chunk or closed_loop().chunk, every_step=True)


def new_policy(dataset: WindowDataset, seed: int, **fields: object) -> VLAPolicy:
    """A policy whose vocabulary, cameras, robot and kind of actions are those of the demonstrations.

    Only a simulator knows where objects are, seen from the hand. Without that the policy neither learns it nor
    remembers it.

    Args:
        dataset: the demonstrations.
        seed: of its first weights.
        fields: of `VLAConfig`, in place of its own.

    Raises:
        CourseError: demonstrations that no policy of the course can learn from, a camera that did not record, or
            parts that do not fit together.
    """
    recorded = dataset.metadata
    mode = recorded["action_mode"]
    if mode not in ("waypoint", "ee_delta"):
        raise CourseError(f"the demonstrations have actions of mode {mode!r}; a policy learns waypoint or ee_delta")
    for name in ("state", "action"):
        shape = recorded["features"].get(name, {}).get("shape")
        if shape != [ACTION]:
            raise CourseError(f"the demonstrations have {name} of shape {shape}, not [{ACTION}]; record them again")
    fields = {
        "words": WordTokenizer.from_sentences(episode["instruction"] for episode in dataset.episodes).words,
        "chunk": dataset.chunk,
        "robot": recorded["robot"].split(",")[0],
        "image_size": recorded.get("image_size", 64),
        **({} if "relative_positions" in recorded["features"] else {"relative_weight": 0.0, "memory": False}),
        **fields,
    }
    if mode == "waypoint":
        config = VLAConfig(**{"cameras": recorded["cameras"][:1], **fields})
    else:
        config = closed_loop(**{"cameras": recorded["cameras"], **fields})
    for camera in config.cameras:
        one_of("camera that recorded", camera, recorded["cameras"])
    return VLAPolicy.seeded(config, seed)


def parse_parts(assignments: Iterable[str]) -> dict:
    """Fields of `VLAConfig` as they are written on a command line.

    Args:
        assignments: such as "decoder=flow", "execute=4" or 'cameras=["front"]'. A value is JSON, or else text.

    Raises:
        CourseError: an unknown field, or a value of another type than the field's.
    """
    known = {field.name: getattr(VLAConfig(), field.name) for field in dataclasses.fields(VLAConfig)}
    parts = {}
    for assignment in assignments:
        name, _, text = assignment.partition("=")
        one_of("part", name, tuple(known))
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = text
        wanted = {float: (float, int), type(None): (int, type(None))}.get(type(known[name]), (type(known[name]),))
        if type(value) not in wanted:
            raise CourseError(f"{assignment}: give {name} a value like {json.dumps(known[name])}")
        parts[name] = value
    return parts
