"""An episode on its way between formats, and a place for what other formats cannot hold.

Pictures travel as the files that they are: to decode a JPEG and encode it again would lose a little each time.

Every exported data set has a folder of ours beside the format's own files. Other programs leave it alone:

    vla_course/metadata.json     robot, cameras, features with their units, phrasings, ... of the data set
    vla_course/episodes.jsonl    a line for each episode: folder, length, metadata, columns that the format cannot hold
    vla_course/SHA256SUMS        the checksum of every file of the export; "sha256sum -c" compares them too

With it an import gives back what was exported, and refuses files that changed since. Without it, as in data sets of
other people, an import takes what the format says and marks the rest as unknown.
"""

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from vla_course.data.description import COMPUTED
from vla_course.data.episodes import CHECKSUMS, FRAME_FOLDERS, Episode, read_episode, write_episode
from vla_course.data.files import decode, parse_json, read_file
from vla_course.data.pictures import MAX_PIXELS, decode_picture, is_flat, suffix

SIDE = "vla_course"
COLORS = [stream for stream in FRAME_FOLDERS if not is_flat(stream)]  # streams of color pictures


@dataclass
class Recording:
    """An episode and its pictures as files.

    Attributes:
        episode: as it is read or will be written. On its way in, its metadata holds only what the format knows.
        files: stream (a key of `FRAME_FOLDERS`) to T files, JPEG for color and PNG for the rest. On its way in a
            stream may lack: its frames are then encoded.
    """

    episode: Episode
    files: dict[str, list[bytes]] = field(default_factory=dict)

    def add_pictures(self, stream: str, files: list[bytes]) -> None:
        """Add a stream; its files are kept if they are of the course's own kind.

        Raises:
            ValueError: a file is no picture, or not one that the stream can hold.
        """
        try:
            frames = [decode_picture(content, f"picture {i}", stream) for i, content in enumerate(files)]
            self.files[stream] = files
        except ValueError:
            frames = [_convert(content, f"picture {i} of {stream!r}", stream) for i, content in enumerate(files)]
        self.episode.frames[stream] = frames


def read_recording(folder: Path) -> Recording:
    """Read an episode of the course.

    Raises:
        CourseError: it is damaged.
    """
    episode = read_episode(folder)
    files = {
        stream: [
            (folder / FRAME_FOLDERS[stream] / f"frame_{i:04d}{suffix(stream)}").read_bytes() for i in range(len(f))
        ]
        for stream, f in episode.frames.items()
    }
    return Recording(episode, files)


def write_recording(recording: Recording, folder: Path) -> None:
    """Write an episode of the course into a data set that nobody reads yet.

    Raises:
        CourseError: `vla_course.data.episodes.write_episode` refuses it.
    """
    write_episode(recording.episode, folder)
    if recording.files:
        for stream, files in recording.files.items():
            for i, content in enumerate(files):
                (folder / FRAME_FOLDERS[stream] / f"frame_{i:04d}{suffix(stream)}").write_bytes(content)
        (folder / CHECKSUMS).write_bytes(_checksums(folder))


def _convert(content: bytes, name: str, stream: str) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(content)) as image:
            mode, size = image.mode, image.size
            if size[0] * size[1] > MAX_PIXELS:
                raise ValueError(f"{size[0]} x {size[1]} pixels are too many")
            if not is_flat(stream):
                return np.asarray(image.convert("RGB"))
            pixels = np.asarray(image)
    except Exception as error:  # on damaged bytes a decoder may raise anything
        raise ValueError(f"{name} is not a readable picture ({type(error).__name__})") from error
    if stream.endswith("_depth") and mode in ("I;16", "F"):  # millimetres, or metres in a picture of floats
        return (pixels / 1000 if mode == "I;16" else pixels).astype(np.float32)
    raise ValueError(f"{name} is damaged, or of a kind that the course does not read (mode {mode})")


def write_side_metadata(root: Path, metadata: dict, instructions: dict[str, list[str]]) -> None:
    """Write vla_course/metadata.json: all but the figures that an import computes anew."""
    kept = {key: value for key, value in metadata.items() if key not in COMPUTED}
    (root / SIDE).mkdir()
    (root / SIDE / "metadata.json").write_text(json.dumps({**kept, "instructions": instructions}, indent=1) + "\n")


def side_line(recording: Recording, name: str, lost: set[str]) -> str:
    """The line of an episode in vla_course/episodes.jsonl; `lost` are the columns that the format cannot hold."""
    steps = {key: rows.tolist() for key, rows in recording.episode.steps.items() if key in lost}
    line = {"folder": name, "length": len(recording.episode), "metadata": recording.episode.metadata, "steps": steps}
    return json.dumps(line) + "\n"


def write_checksums(root: Path) -> None:
    """Write vla_course/SHA256SUMS, the last file of an export."""
    (root / SIDE / CHECKSUMS).write_bytes(_checksums(root))


def _checksums(root: Path) -> bytes:
    """A line for each file in a folder but the one that holds these lines."""
    names = sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file() and p.name != CHECKSUMS)
    return "".join(f"{_digest(root / name)}  {name}\n" for name in names).encode()


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_side(root: Path) -> tuple[dict, Iterator[dict]]:
    """What lies in the folder vla_course/ of an exported data set; nothing where there is none.

    Returns:
        The metadata, and the lines of the episodes, one at a time.

    Raises:
        ValueError: a file of it is missing, or one of the export is not what was exported.
    """
    if not (root / SIDE).is_dir():
        return {}, iter(())
    for line in decode(read_file(root, f"{SIDE}/{CHECKSUMS}"), CHECKSUMS).removesuffix("\n").split("\n"):
        digest, _, name = line.partition("  ")
        if not name or not (root / name).is_file() or _digest(root / name) != digest:
            raise ValueError(f"{name or line!r} changed since the export; delete {SIDE}/ to import what is left")
    return parse_json(read_file(root, f"{SIDE}/metadata.json"), f"{SIDE}/metadata.json"), _lines(root)


def _lines(root: Path) -> Iterator[dict]:
    with open(root / SIDE / "episodes.jsonl", "rb") as lines:
        for number, line in enumerate(lines, 1):
            yield parse_json(line, f"{SIDE}/episodes.jsonl line {number}")
