"""Left becomes right: the one flip that does not lie.

The world is mirrored at the robot's x-z plane: y becomes -y. A picture of the front camera, which stands in that plane,
is then flipped; so is one of the wrist camera, since the hand is mirrored with it. The picture alone is not the
scene: "push the cube to the left" has become "to the right", the arm that reached to y = 0.1 reaches to y = -0.1, and a
rotation about x or z runs the other way, one about y as before. So an augmentation mirrors picture, depth,
segmentation, sentence, state and action together, or none of them.

What is not mirrored: the light, the robot's looks, which differ a little from side to side, and an expert's habits. The
expert pushes with the hand at a yaw of +90 degrees to either side. Mirrored, that is -90 degrees: the same grasp for a
hand of two fingers, another number for a regression, which answers with the mean of both.
"""

import re

import numpy as np
import torch
from torch import Generator, Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

from vla_course.data.augmentation import PICTURES, PIXELS
from vla_course.data.episodes import Episode
from vla_course.errors import CourseError

# x, y, z, roll, pitch, yaw, gripper. The same for a pose, a waypoint and a delta: zero is zero in the mirror.
SIGNS = (1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0)

# Joint angles, by robot: joints that turn about an axis in the mirror plane run the other way, about the angle at which
# the arm is symmetric. That is 0 but for the Panda's hand, which is mounted at 45 degrees.
JOINTS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "panda": ((-1, 1, -1, 1, -1, 1, -1), (0, 0, 0, 0, 0, 0, np.pi / 4)),
    "kuka": ((-1, 1, -1, 1, -1, 1, -1), (0,) * 7),
    "xarm6": ((-1, 1, 1, -1, 1, -1), (0,) * 6),
}

_OTHER_SIDE = {"left": "right", "leftmost": "rightmost", "clockwise": "counterclockwise"}
_OTHER_SIDE |= {other: word for word, other in _OTHER_SIDE.items()}
_SIDES = re.compile(rf"(?<![a-z])({'|'.join(_OTHER_SIDE)})(?![a-z])", re.IGNORECASE)

_WITHOUT_SIDES = ("reward", "timestamp")


def swap_sides(sentence: str) -> str:
    """The sentence with left and right (leftmost, clockwise, ...) exchanged; upper case stays where it was.

    Also for names such as "push_left". Every "right" counts as a side: keep "right now" out of phrasings.
    """

    def other(match: re.Match) -> str:
        word = match.group()
        swapped = _OTHER_SIDE[word.lower()]
        return swapped.upper() if word.isupper() else swapped.capitalize() if word[0].isupper() else swapped

    return _SIDES.sub(other, sentence)


def mirror(sample: dict) -> dict:
    """A sample of the mirrored scene, or a batch of such.

    Args:
        sample: a batch of `vla_course.data.windows.WindowDataset`, or one row as
            `vla_course.data.augmentation.as_tv_tensors` gives it. `action` (..., chunk, 7) and `observation.state`
            (..., 7) are in the env's units, not yet normalized.

    Raises:
        CourseError: an observation of which the mirror image is not known, such as joint angles; an action that
            is not of an end effector.
    """
    mirrored = {}
    for key, value in sample.items():
        if isinstance(value, tv_tensors.TVTensor):
            mirrored[key] = F.horizontal_flip(value)
        elif key.startswith(tuple(PICTURES)):
            mirrored[key] = value.flip(-1)
        elif key in PIXELS:
            mirrored[key] = torch.stack([1 - value[..., 0], value[..., 1]], dim=-1)
        elif key in ("action", "observation.state"):
            mirrored[key] = value * torch.tensor(_signs(key, value))
        elif key in ("relative_positions", "start_positions"):
            mirrored[key] = value * torch.tensor(SIGNS[:3])
        elif key in ("task", "pointing.task"):
            mirrored[key] = _swap_all(value)
        elif key.startswith("observation."):
            raise CourseError(f"{key!r} has no known mirror image; remove it from the batch, or do not mirror")
        else:
            mirrored[key] = value
    return mirrored


def mirror_half(batch: dict, generator: Generator) -> dict:
    """Every other row of a batch, by chance, is that of the mirrored scene; all at once, and so fast.

    A sentence that names a side keeps its row as it is: what is done to the left and to the right need not be mirror
    images, see above.

    Args:
        batch: of `vla_course.data.windows.WindowDataset`.
        generator: where the draws come from; on the CPU.
    """
    chosen = torch.rand(len(batch["task"]), generator=generator) < 0.5
    chosen &= torch.tensor([swap_sides(sentence) == sentence for sentence in batch["task"]])
    flipped = mirror(batch)
    return {
        key: torch.where(chosen.view(-1, *[1] * (value.ndim - 1)), flipped[key], value)
        if isinstance(value, Tensor)
        else [new if choose else old for choose, new, old in zip(chosen, flipped[key], value, strict=True)]
        for key, value in batch.items()
    }


def random_mirror(sample: dict, generator: Generator) -> dict:
    """Every other sample, by chance, is that of the mirrored scene. For `vla_course.data.augmentation.augment`."""
    return mirror(sample) if torch.rand((), generator=generator) < 0.5 else sample


def mirror_episode(episode: Episode) -> Episode:
    """The episode as it would have been in the mirrored world; mirrored twice, it is as before.

    Its actions succeed there. Words in the metadata are swapped too ("push_left" becomes "push_right"), numbers
    are not: the seed still names the scene that was *not* mirrored, which `metadata["mirrored"]` says.

    Raises:
        CourseError: actions that are not of an end effector, joint angles of a robot that is not in `JOINTS`, or
            steps of which the mirror image is not known.
    """
    if str(episode.metadata.get("action_mode", "")).startswith("joint"):
        raise CourseError("cannot mirror actions of joints; record in mode ee_delta or waypoint")
    metadata = _swap_all(episode.metadata)
    if not metadata.pop("mirrored", False):
        metadata["mirrored"] = True
    return Episode(
        metadata=metadata,
        instruction=swap_sides(episode.instruction),
        steps={name: _mirror_rows(name, rows, episode.metadata) for name, rows in episode.steps.items()},
        frames={name: [np.ascontiguousarray(f[:, ::-1]) for f in frames] for name, frames in episode.frames.items()},
    )


def _mirror_rows(name: str, rows: np.ndarray, metadata: dict) -> np.ndarray:
    """The rows (T, ...) of one kind of step in the mirrored world."""
    if name in ("action", "executed", "state"):
        return (rows * _signs(name, rows)).astype(rows.dtype)
    if name == "joints":
        robot = metadata.get("robot")
        if robot not in JOINTS:
            raise CourseError(
                f"the joint angles of robot {robot!r} have no known mirror image, only those of "
                f'{", ".join(JOINTS)}; delete steps["joints"] first'
            )
        signs, middle = np.array(JOINTS[robot])
        return (signs * rows + (1 - signs) * middle).astype(rows.dtype)
    if name == "relative_positions":
        return (rows * np.array(SIGNS[:3])).astype(rows.dtype)
    if name in ("target_pixel", "reference_pixel", "wrist_pixels", "pointing_pixels"):
        return np.stack([1 - rows[..., 0], rows[..., 1]], axis=-1)
    if name in _WITHOUT_SIDES:
        return rows
    raise CourseError(f"steps[{name!r}] has no known mirror image; delete it first")


def _signs(name: str, rows: np.ndarray | Tensor) -> np.ndarray:
    if rows.shape[-1] != len(SIGNS):
        raise CourseError(
            f"{name!r} has {rows.shape[-1]} columns; only the seven of an end effector can be mirrored, not joints"
        )
    return np.array(SIGNS, dtype=np.float32)


def _swap_all(value: object) -> object:
    """`swap_sides` for every text in nested lists and dicts."""
    if isinstance(value, str):
        return swap_sides(value)
    if isinstance(value, dict):
        return {_swap_all(key): _swap_all(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_swap_all(item) for item in value]
    return value
