"""Data sets of the course to and from the formats of others, one module each.

Both ways an episode at a time passes through memory, and the target appears whole or not at all.
"""

import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from tqdm.auto import tqdm

from vla_course.data.formats import droid, lerobot_v2, lerobot_v3, video_csv
from vla_course.data.formats.recording import (
    COLORS,
    SIDE,
    Recording,
    read_recording,
    read_side,
    side_line,
    write_checksums,
    write_recording,
    write_side_metadata,
)
from vla_course.data.pictures import MODALITIES, stream_name
from vla_course.data.store import (
    close_store,
    episode_folder,
    open_store,
    read_instructions,
    read_metadata,
    require_episodes,
)
from vla_course.errors import CourseError, one_of


@dataclass(frozen=True)
class Format:
    """How a data set lies on disk elsewhere.

    Attributes:
        title: its name in full.
        write: writes recordings into an empty folder; takes the folder, the data set's metadata, the recordings.
        read: gives what a folder says of its data set, and its recordings one at a time.
        holds: the columns that come back as they were; None for all.
    """

    title: str
    write: Callable[[Path, dict, Iterable[Recording]], None]
    read: Callable[[Path], tuple[dict, Iterator[Recording]]]
    holds: set[str] | None = None


FORMATS = {
    "lerobot-v3.0": Format("LeRobot v3.0", lerobot_v3.write, lerobot_v3.read),
    "lerobot-v2.1": Format("LeRobot v2.1", lerobot_v2.write, lerobot_v2.read),
    "droid": Format("DROID records", droid.write, droid.read, droid.HELD),
    "video-csv": Format("films and tables", video_csv.write, video_csv.read),
}


def export_dataset(source: Path, target: Path, format: str) -> int:
    """Write a data set of the course in another format.

    Args:
        source: the data set.
        target: a new folder.
        format: a key of `FORMATS`; its module says what it cannot hold.

    Returns:
        How many episodes were written.

    Raises:
        CourseError: an unknown format, no data set or a damaged one, or a target that exists or cannot be written.
    """
    one_of("format", format, FORMATS)
    metadata, folders = read_metadata(source), require_episodes(source)
    chosen = FORMATS[format]
    with _beside(target) as partial:
        write_side_metadata(partial, metadata, read_instructions(source))
        with open(partial / SIDE / "episodes.jsonl", "w") as lines:

            def recordings() -> Iterator[Recording]:
                for folder in tqdm(folders, desc=format, unit="episode", leave=False):
                    recording = read_recording(folder)
                    lost = set() if chosen.holds is None else recording.episode.steps.keys() - chosen.holds
                    lines.write(side_line(recording, folder.name, lost))
                    yield recording

            chosen.write(partial, metadata, recordings())
        write_checksums(partial)
    return len(folders)


def import_dataset(source: Path, target: Path, format: str) -> int:
    """Make a data set of the course from one in another format.

    What the format does not say is marked: robot and action mode "unknown", seed None, and a task named after its
    sentence. An episode without a word about success counts as successful.

    Args:
        source: the folder of the other data set.
        target: a new folder.
        format: a key of `FORMATS`.

    Returns:
        How many episodes were written.

    Raises:
        CourseError: an unknown format; a source that is not of it, or is damaged; a target that exists or cannot be
            written.
    """
    one_of("format", format, FORMATS)
    with _named(source, format):
        side, lines = read_side(source)
        known, recordings = FORMATS[format].read(source)
    pairs = itertools.zip_longest(recordings, lines) if side else ((recording, {}) for recording in recordings)
    completed = _guarded(_completed(pairs, side.get("features", {})), source, format)
    settings: dict = {}
    instructions: dict[str, list[str]] = {}
    count = 0
    with _beside(target) as partial:
        for recording, name in tqdm(completed, desc=format, unit="episode", leave=False):
            if not settings:
                settings = _settings(known, side, recording)
                open_store(partial, settings, {})
            write_recording(recording, partial / "episodes" / name if name else episode_folder(partial, count))
            sentences = instructions.setdefault(recording.episode.metadata["task"], [])
            if recording.episode.instruction not in sentences:
                sentences.append(recording.episode.instruction)
            count += 1
        if not count:
            raise CourseError(f"{source}: holds no episode; nothing to import")
        open_store(partial, settings, side.get("instructions", instructions))
        close_store(partial)
    return count


def is_dataset(folder: Path) -> bool:
    """Whether a folder holds a data set of the course."""
    return (folder / "metadata.json").is_file() and (folder / "episodes").is_dir()


def _completed(pairs: Iterable[tuple], features: dict) -> Iterator[tuple[Recording, str | None]]:
    """Recordings with what the format did not hold, and their folders' names."""
    for recording, line in pairs:
        if recording is None or line is None or line.get("length", len(recording.episode)) != len(recording.episode):
            raise ValueError(f"its episodes are not those of {SIDE}/; delete {SIDE}/ to import without it")
        episode, name = recording.episode, line.get("folder")
        for stream, pictures in episode.frames.items():
            if len(pictures) != len(episode):
                raise ValueError(f"an episode of {len(episode)} rows has {len(pictures)} pictures of {stream!r}")
        if name is not None and not re.fullmatch(r"episode_\d+", name):
            raise ValueError(f"{SIDE}/episodes.jsonl: {name!r} is not the name of an episode's folder")
        task = re.sub(r"\W+", "_", episode.instruction.lower()).strip("_")[:60] or "unknown"
        unknown = {"task": task, "seed": None, "robot": "unknown", "success": True, "pointing": []}
        episode.metadata = line["metadata"] if line else {**unknown, **episode.metadata}
        steps = episode.steps | {key: np.array(rows, np.float32) for key, rows in line.get("steps", {}).items()}
        steps = {key: steps[key] for key in (*features, *steps) if key in steps}  # in the order of the original
        for key, feature in features.items():
            if key in steps:
                steps[key] = steps[key].reshape(len(episode), *feature["shape"])
        episode.steps = steps
        yield recording, name


def _settings(known: dict, side: dict, recording: Recording) -> dict:
    """What all episodes of the new data set share."""
    if side:
        return {key: value for key, value in side.items() if key != "instructions"}
    frames, steps = recording.episode.frames, recording.episode.steps
    cameras = [camera for camera in COLORS if camera in frames]
    modalities = [m for m in MODALITIES if any(s.endswith(f"_{m}") or m == "rgb" for s in frames)]
    product = {stream_name(camera, modality) for camera in cameras for modality in modalities}
    shapes = {pictures[0].shape[:2] for pictures in frames.values()}
    sides = {size for shape in shapes for size in shape}
    settings = {"robot": "unknown", "task": "imported", "action_mode": "unknown", "cameras": cameras}
    settings |= {"modalities": modalities} if product == frames.keys() else {}
    settings |= {"image_size": sides.pop()} if len(sides) == 1 else {}
    settings |= {"seed": None, **known}
    settings["features"] = {name: _feature(name, rows, known["features"].get(name)) for name, rows in steps.items()}
    return settings


def _feature(name: str, rows: np.ndarray, known: dict | None) -> dict:
    shape = list(rows.shape[1:])
    names = (known or {}).get("names")
    if not isinstance(names, list) or list(np.shape(np.array(names, dtype=object))) != shape:
        names = [f"{name}_{i}" for i in range(rows[0].size)] if shape else [name]
    return {"dtype": "float32", "shape": shape, "names": names, "units": ["unknown"] * len(names)}


@contextmanager
def _named(source: Path, format: str) -> Iterator[None]:
    """Whatever a damaged or foreign file makes a reader raise, as one line."""
    try:
        yield
    except CourseError:
        raise
    except (OSError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())[:300]
        if not isinstance(error, ValueError):
            reason = f"{type(error).__name__} {reason}"
        raise CourseError(
            f"{source}: cannot be read as {FORMATS[format].title}: {reason}; restore it, or choose another --format"
        ) from error


def _guarded(recordings: Iterator, source: Path, format: str) -> Iterator:
    with _named(source, format):
        yield from recordings


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A folder beside the target, which takes its name when everything is written."""
    if target.is_symlink() or target.exists():
        raise CourseError(f"{target}: exists already; choose a new folder")
    partial = target.absolute().with_name(f".{target.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        os.replace(partial, target)
    except OSError as error:
        raise CourseError(
            f"{target}: cannot be written: {error.strerror or error}; free space or choose another"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
