"""One episode on disk, in a layout that a person can open and read.

    episode_0001/
      frames/frame_0000.jpg       front camera; frames_wrist/, depth/, segmentation/ beside it if recorded
      actions.json                one entry per step in each of its lists
      metadata.json               task, seed, success, goal conditions, robot
      instruction.txt             the sentence
      SHA256SUMS                  the checksum of each file above; "sha256sum -c SHA256SUMS" compares them too

An episode appears whole or not at all: it is written beside, then renamed. A file that changed afterwards is found by
its checksum: a wrong bit in a JPEG or in a number would otherwise be read as another picture or another number.
"""

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vla_course.data.description import read_metadata
from vla_course.data.files import decode, parse_json, read_file, sha256, sync, sync_one
from vla_course.data.pictures import decode_picture, encode_picture, is_flat, stream_name, suffix
from vla_course.errors import CourseError

# Where each stream of pictures lies, by camera and modality.
FRAME_FOLDERS = {
    "front": "frames",
    "wrist": "frames_wrist",
    "overhead": "frames_overhead",
    "front_depth": "depth",
    "wrist_depth": "depth_wrist",
    "overhead_depth": "depth_overhead",
    "front_segmentation": "segmentation",
    "wrist_segmentation": "segmentation_wrist",
    "overhead_segmentation": "segmentation_overhead",
}

REQUIRED = ("task", "seed", "robot", "success")  # keys of an episode's metadata
CHECKSUMS = "SHA256SUMS"
REMEDY = 'see all of them with "vla-course verify DIR", put them aside with "--repair" and collect again'


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
    """Write an episode so that `folder` appears whole or not at all, even when the power fails.

    Raises:
        CourseError: the disk is full or the folder cannot be written; or `read_episode` would refuse the episode:
            a column or stream of another length or shape than its data set declares, a number that is not finite, ...
    """
    partial = folder.with_name(f".{folder.name}.partial")
    declared = _declared(folder)
    try:
        _check_labels(episode.metadata, episode.instruction)
        _check_columns(episode.steps, declared)
        _check_frames(episode.frames, len(episode), declared)
        files = _encode(episode)
    except (ValueError, TypeError) as error:
        raise CourseError(f"{folder}: {error}; nothing was written, correct the recording") from error
    files[CHECKSUMS] = "".join(f"{sha256(files[name])}  {name}\n" for name in sorted(files)).encode()
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name in episode.frames:
            (partial / FRAME_FOLDERS[name]).mkdir()
        for name, content in files.items():
            (partial / name).write_bytes(content)
        sync({partial, *partial.rglob("*")})
        os.replace(partial, folder)
        sync_one(folder.parent)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise CourseError(
            f"{folder}: cannot write the episode: {error.strerror}; free space or choose another folder"
        ) from error


def read_episode(folder: Path) -> Episode:
    """Read an episode back.

    Raises:
        CourseError: a file of it is missing, unreadable, or another than was written; or it does not fit its data set.
    """
    declared = _declared(folder)
    files: dict[str, bytes] = {}

    def load(name: str) -> bytes:
        files[name] = read_file(folder, name)
        return files[name]

    try:
        metadata = parse_json(load("metadata.json"), "metadata.json")
        instruction = decode(load("instruction.txt"), "instruction.txt").strip()
        steps = _columns(load("actions.json"))
        _check_labels(metadata, instruction)
        _check_columns(steps, declared)
        frames = {}
        for stream, where in FRAME_FOLDERS.items():
            if _exists(folder / where):
                names = _frame_names(folder, stream, len(steps["action"]))
                frames[stream] = [decode_picture(load(f"{where}/{name}"), f"{where}/{name}", stream) for name in names]
        _check_frames(frames, len(steps["action"]), declared)
        _compare(files, _checksums(folder, declared))
    except ValueError as error:
        raise CourseError(f"{folder.name}: {error}; {REMEDY}") from error
    return Episode(metadata, instruction, steps, frames)


def read_steps(folder: Path) -> dict[str, np.ndarray]:
    """The numbers of an episode, without its pictures.

    Raises:
        CourseError: they are missing, unreadable, others than were written, or do not fit the data set.
    """
    declared = _declared(folder)
    try:
        content = read_file(folder, "actions.json")
        steps = _columns(content)
        _check_columns(steps, declared)
        listed = _checksums(folder, declared)
        _compare({"actions.json": content}, listed and {"actions.json": listed.get("actions.json")})
    except ValueError as error:
        raise CourseError(f"{folder.name}: {error}; {REMEDY}") from error
    return steps


def read_labels(folder: Path) -> dict:
    """What an episode says of itself: its metadata (task, seed, robot, ...), and its sentence as "instruction".

    Raises:
        CourseError: a file is missing or unreadable.
    """
    try:
        metadata = parse_json(read_file(folder, "metadata.json"), "metadata.json")
        instruction = decode(read_file(folder, "instruction.txt"), "instruction.txt").strip()
        _check_labels(metadata, instruction)
    except ValueError as error:
        raise CourseError(f"{folder.name}: {error}; {REMEDY}") from error
    return {**metadata, "instruction": instruction}


def _declared(folder: Path) -> dict:
    """What the data set of an episode says of all its episodes; empty where the episode stands alone."""
    root = folder.parent.parent
    return read_metadata(root) if folder.parent.name == "episodes" and _exists(root / "metadata.json") else {}


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()  # a link to nothing is there too, and is damage


def _checksums(folder: Path, declared: dict) -> dict[str, str] | None:
    """File name to checksum. None for an episode of schema version 1, which has none."""
    if declared.get("schema_version", 1) == 1 and not _exists(folder / CHECKSUMS):
        return None
    lines = decode(read_file(folder, CHECKSUMS), CHECKSUMS).splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _compare(files: dict[str, bytes], listed: dict[str, str] | None) -> None:
    """That the files are those of the checksums."""
    if listed is None:
        return
    found = {name: sha256(content) for name, content in files.items()}
    wrong = sorted(name for name in {*found, *listed} if found.get(name) != listed.get(name))
    if wrong:
        others = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise ValueError(f"{wrong[0]}{others}: is not the file that {CHECKSUMS} lists")


def _columns(content: bytes) -> dict[str, np.ndarray]:
    """The columns of actions.json."""
    steps = {}
    for name, rows in parse_json(content, "actions.json").items():
        try:
            table = np.array(rows)
        except ValueError:  # rows of different lengths
            table = np.array(None)
        if table.dtype.kind not in "iuf" or table.ndim == 0:
            raise ValueError(f"actions.json: not as expected ({name!r} is not a table of numbers)")
        with np.errstate(over="ignore"):  # too large for float32: infinite, and refused as that
            steps[name] = table.astype(np.float32)
    return steps


def _frame_names(folder: Path, stream: str, length: int) -> list[str]:
    """The pictures of a stream in the order of time; what other programs left in the folder is not ours."""
    where = FRAME_FOLDERS[stream]
    try:
        found = {path.name for path in (folder / where).iterdir() if path.name.startswith("frame_")}
    except OSError as error:
        raise ValueError(f"{where}: {error.strerror}") from error
    if len(found) != length:
        raise ValueError(f"actions.json has {length} rows for {len(found)} frames in {where}/")
    names = [f"frame_{i:04d}{suffix(stream)}" for i in range(length)]
    if strange := sorted(found.difference(names)):
        raise ValueError(f"{where}/{strange[0]}: is not the name of a frame")
    return names


def _check_labels(metadata: dict, instruction: str) -> None:
    missing = [key for key in REQUIRED if key not in metadata]
    if missing:
        raise ValueError(f"metadata.json lacks {', '.join(missing)}")
    if not isinstance(metadata["success"], bool | None):
        raise ValueError(f"metadata.json: success is {metadata['success']!r}, neither true nor false")
    if not instruction.strip():
        raise ValueError("instruction.txt: holds no sentence")


def _check_columns(steps: dict[str, np.ndarray], declared: dict) -> None:
    length = len(steps.get("action", ()))
    if length == 0:
        raise ValueError("actions.json holds no action")
    for name, rows in steps.items():
        if len(rows) != length:
            raise ValueError(f"actions.json has {len(rows)} rows of {name!r} for {length} actions")
        if not np.isfinite(rows).all():
            raise ValueError(f"actions.json has a number that is not finite in {name!r}")
    if "features" in declared:
        shapes = {n: tuple(f["shape"]) for n, f in declared["features"].items() if n not in FRAME_FOLDERS}
        found = {name: rows.shape[1:] for name, rows in steps.items()}
        for name in sorted({*shapes, *found}):
            if shapes.get(name) != found.get(name):
                raise ValueError(
                    f"actions.json: rows of {name!r} have shape {found.get(name)}, the data set's metadata.json "
                    f"declares {shapes.get(name)}"
                )


def _check_frames(frames: dict[str, list[np.ndarray]], length: int, declared: dict) -> None:
    if {"cameras", "modalities"} <= declared.keys():
        wanted = {stream_name(c, m) for c in declared["cameras"] for m in declared["modalities"]}
        for name in sorted(wanted.symmetric_difference(frames)):
            wrong = "are missing" if name in wanted else "are not declared in the data set's metadata.json"
            raise ValueError(f"{FRAME_FOLDERS.get(name, name)}/: the frames of {name!r} {wrong}")
    for name, pictures in frames.items():
        where = FRAME_FOLDERS.get(name)
        if where is None:
            raise ValueError(f"frames of {name!r} have no folder; choose one of: {', '.join(FRAME_FOLDERS)}")
        if len(pictures) != length:
            raise ValueError(f"actions.json has {length} rows for {len(pictures)} frames in {where}/")
        size = declared.get("image_size")
        shape = (size, size) if type(size) is int else pictures[0].shape[:2]
        for i, picture in enumerate(pictures):
            if picture.shape != (shape if is_flat(name) else (*shape, 3)):
                raise ValueError(f"{where}/: picture {i} has shape {picture.shape}, not {shape[0]} x {shape[1]} pixels")


def _encode(episode: Episode) -> dict[str, bytes]:
    """The files of an episode: name to content."""
    files = {
        f"{FRAME_FOLDERS[name]}/frame_{i:04d}{suffix(name)}": encode_picture(frame, name)
        for name, frames in episode.frames.items()
        for i, frame in enumerate(frames)
    }
    steps = {name: _floats(rows) for name, rows in episode.steps.items()}
    files["actions.json"] = json.dumps(steps).encode()
    files["metadata.json"] = json.dumps(episode.metadata, indent=1, allow_nan=False).encode()
    files["instruction.txt"] = (episode.instruction + "\n").encode()
    return files


def _floats(rows: np.ndarray) -> list:
    """Nested lists of the shortest decimals that read back as the same float32."""
    if rows.ndim > 1:
        return [_floats(row) for row in rows]
    return [float(np.format_float_positional(value, unique=True)) for value in rows.astype(np.float32)]
