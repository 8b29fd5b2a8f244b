"""Episodes as training samples: an observation and the chunk of actions that follows it.

The pictures are decoded once, into a memory-mapped file beside the episodes; training reads from there.
"""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from torch import Tensor
from torch.utils.data import Dataset

from vla_course.data.episodes import read_episode, read_steps
from vla_course.data.store import read_metadata, require_episodes
from vla_course.errors import CourseError

SIZES = "sizes.json"  # of the files of a cache; written last


class WindowDataset(Dataset):
    """Observation and action-chunk windows over the successful episodes of a data set.

    Each item is a dict with LeRobot's keys:
        `observation.images.<camera>`: (3, H, W) float32 in [0, 1].
        `observation.state`: (7,) float32.
        `action`: (chunk, 7) float32; rows past the end of the episode repeat its last action.
        `action_is_pad`: (chunk,) bool, true in those rows.
        `task`: str, the instruction.
        `target_pixel`: (2,) float32, where the target is in the front picture (u, v).
        `pointing.task`, `pointing.pixel`: K sentences that name other objects, and (K, 2) where those are.
    The last three are known in simulation only.

    Args:
        root: the data set.
        chunk: actions in a window.
        every_step: a window from each step of an episode; otherwise only from its first, for policies
            that plan once.

    Raises:
        CourseError: no data set, an empty one, a damaged episode, or no successful episode.
    """

    def __init__(self, root: Path, chunk: int = 5, every_step: bool = False):
        self.metadata = read_metadata(root)
        if "statistics" not in self.metadata:
            raise CourseError(f'{root}: its collection was not finished; run the same "vla-course collect" again')
        cache = _cache(root)
        self._arrays = {path.stem: np.load(path, mmap_mode="r") for path in cache.glob("*.npy")}
        index = json.loads((cache / "index.json").read_text())
        self.chunk = chunk
        self.episodes = [e for e in index if e["success"]]
        if not self.episodes:
            raise CourseError(f"{root}: none of its {len(index)} episodes succeeded; record more, or check the task")
        self._starts = [
            (i, step)
            for i, episode in enumerate(self.episodes)
            for step in range(episode["length"] if every_step else 1)
        ]

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> dict:
        return {key: value[0] for key, value in self.__getitems__([index]).items()}

    def __getitems__(self, indices: list[int]) -> dict:
        """A batch at once: the same keys, each with a leading batch axis. DataLoader calls this."""
        chosen = [self._starts[i] for i in indices]
        first = np.array([self.episodes[e]["start"] + step for e, step in chosen])
        last = np.array([self.episodes[e]["start"] + self.episodes[e]["length"] - 1 for e, _ in chosen])
        rows = first[:, None] + np.arange(self.chunk)
        batch: dict = {
            "observation.state": torch.from_numpy(self._arrays["state"][first]),
            "action": torch.from_numpy(self._arrays["action"][np.minimum(rows, last[:, None])]),
            "action_is_pad": torch.from_numpy(rows > last[:, None]),
            "task": [self.episodes[e]["instruction"] for e, _ in chosen],
        }
        if "target_pixel" in self._arrays:  # from the simulator; recordings of a real robot have none
            batch["target_pixel"] = torch.from_numpy(self._arrays["target_pixel"][first])
            batch["pointing.task"] = [self.episodes[e]["pointing"] for e, _ in chosen]
            batch["pointing.pixel"] = torch.from_numpy(self._arrays["pointing_pixels"][first])
        for camera in self.metadata["cameras"]:
            batch[f"observation.images.{camera}"] = to_images(self._arrays[camera][first])
        return batch

    def split(self, validation: float, seed: int) -> tuple[list[int], list[int]]:
        """Indices for training and validation, divided by episode.

        Frames of one episode are near copies: divided by frame, validation would test memory.
        """
        count = len(self.episodes)
        order = np.random.default_rng(seed).permutation(count)
        held_out = set(order[: round(validation * count)].tolist())
        train = [i for i, (e, _) in enumerate(self._starts) if e not in held_out]
        return train, [i for i, (e, _) in enumerate(self._starts) if e in held_out]


def to_images(frames: np.ndarray) -> Tensor:
    """(B, H, W, 3) uint8 pictures as (B, 3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 255


def _cache(root: Path) -> Path:
    """Build the memory-mapped cache of a data set, or find the one that still fits its episodes.

    Episodes pass through memory one at a time, so that a large data set needs no more of it than a small one. A cache
    that was cut short is built again.
    """
    folders = require_episodes(root)
    stamp = json.dumps([(path.name, path.stat().st_mtime_ns) for f in folders for path in (f, *f.iterdir())])
    cache = root / "cache" / hashlib.sha256(stamp.encode()).hexdigest()[:16]
    if _is_whole(cache):
        return cache
    lengths = [len(read_steps(folder)["action"]) for folder in folders]
    starts = np.cumsum([0, *lengths])
    index, arrays = [], {}
    with tempfile.TemporaryDirectory(dir=root, prefix=".cache_", ignore_cleanup_errors=True) as partial:
        for folder, start, length in zip(folders, starts, lengths, strict=False):
            episode = read_episode(folder)
            columns = {**episode.steps, **{name: np.stack(f) for name, f in episode.frames.items()}}
            if not arrays:
                _require_space(root, sum(rows[0].nbytes for rows in columns.values()) * int(starts[-1]))
                arrays = {
                    name: open_memmap(
                        Path(partial) / f"{name}.npy", "w+", dtype=rows.dtype, shape=(int(starts[-1]), *rows.shape[1:])
                    )
                    for name, rows in columns.items()
                }
            if {name: rows.shape[1:] for name, rows in columns.items()} != {n: a.shape[1:] for n, a in arrays.items()}:
                raise CourseError(
                    f"{folder.name}: holds other features than {folders[0].name}; keep them in two data sets"
                )
            for name, rows in columns.items():
                arrays[name][start : start + length] = rows
            index.append(
                {
                    "start": int(start),
                    "length": length,
                    "instruction": episode.instruction,
                    "success": episode.metadata["success"],
                    "pointing": episode.metadata.get("pointing", []),
                }
            )
        for array in arrays.values():
            array.flush()
        (Path(partial) / "index.json").write_text(json.dumps(index))
        sizes = {path.name: path.stat().st_size for path in Path(partial).iterdir()}
        (Path(partial) / SIZES).write_text(json.dumps(sizes))
        shutil.rmtree(root / "cache", ignore_errors=True)
        cache.parent.mkdir()
        shutil.move(partial, cache)
    return cache


def _is_whole(cache: Path) -> bool:
    """Whether every file of a cache is as large as it was written."""
    try:
        sizes = json.loads((cache / SIZES).read_text())
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
