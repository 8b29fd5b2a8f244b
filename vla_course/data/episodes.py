"""One episode on disk, in a layout that a person can open and read.

    episode_0001/
      frames/frame_0000.jpg       front camera; frames_wrist/, depth/, segmentation/ beside it if recorded
      actions.json                one entry per step in each of its lists
      metadata.json               task, seed, success, goal conditions, robot
      instruction.txt             the sentence

An episode appears whole or not at all: it is written beside, then renamed.
"""

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from vla_course.errors import CourseError

# Where each stream of pictures lies, by camera and modality.
FRAME_FOLDERS = {
    "front": "frames",
    "wrist": "frames_wrist",
    "front_depth": "depth",
    "wrist_depth": "depth_wrist",
    "front_segmentation": "segmentation",
    "wrist_segmentation": "segmentation_wrist",
}


REQUIRED = ("task", "seed", "robot", "success")  # keys of an episode's metadata


@dataclass
class Episode:
    """What was recorded between a reset and the end.

    Attributes:
        metadata: task, seed, robot, success, goal_conditions, and "pointing": sentences that name other
            objects of the scene.
        instruction: the sentence.
        steps: name to an array of T rows: "action" (T, 7), "state" (T, 7), "joints" (T, n), "reward"
            (T,), "timestamp" (T,) in seconds, "target_pixel" (T, 2) and "pointing_pixels" (T, 3, 2), where
            the target and the objects of the pointing sentences are in the front picture.
        frames: name (a key of `FRAME_FOLDERS`) to T pictures, each seen before the action of its step:
            (H, W, 3) uint8 color, (H, W) float32 depth in metres, (H, W) int32 body ids.
    """

    metadata: dict
    instruction: str
    steps: dict[str, np.ndarray]
    frames: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.steps["action"])


def write_episode(episode: Episode, folder: Path) -> None:
    """Write an episode so that `folder` appears whole or not at all.

    Raises:
        CourseError: the disk is full or the folder cannot be written.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name, frames in episode.frames.items():
            (partial / FRAME_FOLDERS[name]).mkdir()
            for i, frame in enumerate(frames):
                _write_frame(frame, partial / FRAME_FOLDERS[name] / f"frame_{i:04d}", name)
        steps = {name: _floats(rows) for name, rows in episode.steps.items()}
        (partial / "actions.json").write_text(json.dumps(steps))
        (partial / "metadata.json").write_text(json.dumps(episode.metadata, indent=1))
        (partial / "instruction.txt").write_text(episode.instruction + "\n")
        os.replace(partial, folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise CourseError(
            f"{folder}: cannot write the episode: {error.strerror}; free space or choose another folder"
        ) from error


def read_episode(folder: Path) -> Episode:
    """Read an episode back.

    Raises:
        CourseError: something of it is missing, unreadable, or of another length than its actions.
    """
    try:
        metadata = json.loads((folder / "metadata.json").read_text())
        instruction = (folder / "instruction.txt").read_text().strip()
        steps = _load_steps(folder)
        frames = {
            name: [_read_frame(path, name) for path in sorted((folder / where).iterdir())]
            for name, where in FRAME_FOLDERS.items()
            if (folder / where).is_dir()
        }
    except (OSError, ValueError, TypeError, AttributeError) as error:
        reason = getattr(error, "strerror", None) or f"not as expected ({error})"
        where = getattr(error, "filename", None)
        name = Path(where).name if where else "a file"
        raise CourseError(f"{folder.name}: {name}: {reason}; {_REMEDY}") from error
    _check(folder, metadata, steps, frames)
    return Episode(metadata, instruction, steps, frames)


def read_steps(folder: Path) -> dict[str, np.ndarray]:
    """The numbers of an episode, without its pictures.

    Raises:
        CourseError: they are missing or unreadable.
    """
    try:
        steps = _load_steps(folder)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise CourseError(f"{folder.name}: actions.json cannot be read ({error}); {_REMEDY}") from error
    _check_rows(folder, steps)
    return steps


def _load_steps(folder: Path) -> dict[str, np.ndarray]:
    steps = json.loads((folder / "actions.json").read_text())
    return {name: np.array(rows, dtype=np.float32) for name, rows in steps.items()}


def _check(folder: Path, metadata: dict, steps: dict[str, np.ndarray], frames: dict[str, list]) -> None:
    """That nothing is missing and everything has as many rows as there are actions."""
    missing = [key for key in REQUIRED if not isinstance(metadata, dict) or key not in metadata]
    if missing:
        raise CourseError(f"{folder.name}: metadata.json lacks {', '.join(missing)}; {_REMEDY}")
    _check_rows(folder, steps)
    for name, pictures in frames.items():
        if len(pictures) != len(steps["action"]):
            raise CourseError(
                f"{folder.name}: actions.json has {len(steps['action'])} rows for {len(pictures)} frames in "
                f"{FRAME_FOLDERS[name]}/; {_REMEDY}"
            )


def _check_rows(folder: Path, steps: dict[str, np.ndarray]) -> None:
    length = len(steps.get("action", ()))
    if length == 0:
        raise CourseError(f"{folder.name}: actions.json holds no action; {_REMEDY}")
    for name, rows in steps.items():
        if len(rows) != length or not np.isfinite(rows).all():
            raise CourseError(
                f"{folder.name}: actions.json has {len(rows)} rows of {name!r} for {length} actions, "
                f"or a number that is not finite; {_REMEDY}"
            )


_REMEDY = 'see all of them with "vla-course verify DIR", drop them with "--repair" and collect again'


def _write_frame(frame: np.ndarray, stem: Path, name: str) -> None:
    if name.endswith("_depth"):  # millimetres, as depth cameras store it
        Image.fromarray(np.round(frame * 1000).astype(np.uint16)).save(stem.with_suffix(".png"))
    elif name.endswith("_segmentation"):  # shifted by one, so that "nothing" (-1) fits
        Image.fromarray((frame + 1).astype(np.uint8)).save(stem.with_suffix(".png"))
    else:  # full color resolution: JPEG's usual halving would smear objects of five pixels
        Image.fromarray(frame).save(stem.with_suffix(".jpg"), quality=95, subsampling=0)


def _read_frame(path: Path, name: str) -> np.ndarray:
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image)
    except OSError as error:
        raise ValueError(f"{path.parent.name}/{path.name} is not a readable picture") from error
    if name.endswith("_depth"):
        return (pixels / 1000).astype(np.float32)
    if name.endswith("_segmentation"):
        return pixels.astype(np.int32) - 1
    return pixels


def _floats(rows: np.ndarray) -> list:
    """Nested lists of the shortest decimals that read back as the same float32."""
    if rows.ndim > 1:
        return [_floats(row) for row in rows]
    return [float(np.format_float_positional(value, unique=True)) for value in rows.astype(np.float32)]
