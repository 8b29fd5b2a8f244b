"""A data set as memory-mapped arrays: every picture decoded once, for training to read in any order.

dataset/cache/<stamp>/
  front.npy, action.npy, ...      an array for each stream of pictures and each column, of the steps of all episodes
  episodes.jsonl                  a line for each episode: its metadata, "instruction" and "length" in one dict
  texts.jsonl                     a line for each episode: a list of its instruction and its pointing sentences
  spans                           where each episode lies in the arrays and in these lines, see `SPAN`
  sizes.json                      of these files; written last

The stamp is made of the files' names and times of change, so a data set that was changed gets another cache. The
operating system keeps the parts of the arrays in memory that were used lately, and drops them when it needs the room:
the process itself needs no more memory for a large data set than for a small one.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib.format import open_memmap

from vla_course.data.episodes import read_episode, read_steps
from vla_course.data.store import require_episodes
from vla_course.errors import CourseError

LAYOUT = 3  # of a cache; one of an earlier layout is not read
SPAN = np.dtype(
    [
        ("row", "i8"),  # of the arrays, its first
        ("length", "i8"),  # steps
        ("success", "?"),
        ("episodes", "i8", 2),  # first byte of its line in episodes.jsonl, and the one after its last
        ("texts", "i8", 2),  # the same of texts.jsonl
    ]
)


class Lines(Sequence):
    """Lines of JSON, each read when it is asked for.

    Args:
        path: the file.
        places: (N, 2) first byte of each line, and the one after its last.
    """

    def __init__(self, path: Path, places: np.ndarray):
        self._bytes = np.asarray(np.memmap(path, np.uint8, "r"))  # slices faster than a memmap
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> dict | list:
        start, end = self._places[index]
        return json.loads(self._bytes[start:end].tobytes().decode())


def open_cache(cache: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The memory-mapped arrays by name, and the spans (E,) of type `SPAN`."""
    return {path.stem: np.load(path, mmap_mode="r") for path in sorted(cache.glob("*.npy"))}, np.load(cache / "spans")


def find_cache(root: Path) -> Path:
    """The cache of a data set; built, unless there is a whole one that fits its episodes.

    Episodes pass through memory one at a time.

    Raises:
        CourseError: no data set, an empty one, a damaged episode, episodes of different features, or a disk that is
            full or cannot be written.
    """
    folders = require_episodes(root)
    stamp = hashlib.sha256(str(LAYOUT).encode())
    for folder in folders:
        for path in (folder, *sorted(folder.iterdir())):
            stamp.update(f"{path.name} {path.stat().st_mtime_ns}\n".encode())
    cache = root / "cache" / stamp.hexdigest()[:16]
    if _is_whole(cache):
        return cache
    try:
        with tempfile.TemporaryDirectory(dir=root, prefix=".cache_", ignore_cleanup_errors=True) as partial:
            _build(root, folders, Path(partial))
            cache.parent.mkdir(exist_ok=True)
            if not _is_whole(cache):  # another process may have built the same meanwhile
                for old in cache.parent.iterdir():
                    shutil.rmtree(old, ignore_errors=True)  # Windows does not delete what another process reads
                shutil.move(partial, cache)
    except OSError as error:
        raise CourseError(
            f"{root}: the cache for training cannot be written: {error.strerror}; free space, or copy the data set to "
            "a folder that you may write to"
        ) from error
    return cache


def _build(root: Path, folders: list[Path], cache: Path) -> None:
    """Write a cache. Its arrays are files of their full size from the start, so the lengths are read before."""
    spans = np.zeros(len(folders), SPAN)
    spans["length"] = [len(read_steps(folder)["action"]) for folder in folders]
    spans["row"] = spans["length"].cumsum() - spans["length"]
    total = int(spans["length"].sum())
    arrays: dict[str, np.ndarray] = {}
    with open(cache / "episodes.jsonl", "wb") as known, open(cache / "texts.jsonl", "wb") as texts:
        for folder, span in zip(folders, spans, strict=True):
            episode = read_episode(folder)
            columns = {**episode.steps, **{name: np.stack(f) for name, f in episode.frames.items()}}
            if not arrays:
                _require_space(root, sum(rows[0].nbytes for rows in columns.values()) * total)
                arrays = {
                    name: open_memmap(cache / f"{name}.npy", "w+", rows.dtype, (total, *rows.shape[1:]))
                    for name, rows in columns.items()
                }
            if {name: rows.shape[1:] for name, rows in columns.items()} != {n: a.shape[1:] for n, a in arrays.items()}:
                raise CourseError(
                    f"{folder.name}: holds other features than {folders[0].name}; keep them in two data sets"
                )
            for name, rows in columns.items():
                arrays[name][span["row"] : span["row"] + len(rows)] = rows
            span["success"] = bool(episode.metadata["success"])
            words = {"instruction": episode.instruction, "length": len(episode)}
            span["episodes"] = _add_line(known, {**episode.metadata, **words})
            span["texts"] = _add_line(texts, [episode.instruction, *episode.metadata.get("pointing", [])])
    for array in arrays.values():
        array.flush()
    with open(cache / "spans", "wb") as file:
        np.save(file, spans)
    sizes = {path.name: path.stat().st_size for path in cache.iterdir()}
    (cache / "sizes.json").write_text(json.dumps(sizes))


def _add_line(file: BinaryIO, value: object) -> tuple[int, int]:
    start = file.tell()
    file.write(json.dumps(value).encode() + b"\n")
    return start, file.tell()


def _is_whole(cache: Path) -> bool:
    """Whether every file of a cache is as large as it was written."""
    try:
        sizes = json.loads((cache / "sizes.json").read_text())
        return all((cache / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False


def _require_space(root: Path, needed: int) -> None:
    """A memory-mapped file on a full disk ends the process without a word, so the space is looked for before."""
    free = shutil.disk_usage(root).free
    if free < needed:
        raise CourseError(
            f"{root}: the cache for training needs {needed >> 20} MiB and {free >> 20} MiB are free; free some space"
        )
