"""Whether training on more episodes needs more memory: 100, 1,000 and 10,000 of them, small and of noise.

Run alone with: python -m benchmarks.memory (Linux; a few minutes, most of which goes into writing the episodes)
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
import psutil
from torch.utils.data import DataLoader, Subset

from vla_course.data import episodes
from vla_course.data.episodes import Episode, write_episode
from vla_course.data.store import close_store, episode_folder, open_store
from vla_course.data.windows import WindowDataset

COUNTS = (100, 1_000, 10_000)
STEPS, SIZE = 4, 16
COLUMNS = {"action": (7,), "state": (7,), "target_pixel": (2,), "pointing_pixels": (3, 2)}


def grow(root: Path, count: int) -> None:
    """Add episodes to a data set until it holds `count`. Nobody waits until they are on the disk."""
    settings = {"features": {name: {"shape": list(shape)} for name, shape in COLUMNS.items()}}
    open_store(root, settings | {"cameras": ["front"], "modalities": ["rgb"], "image_size": SIZE}, {})
    with mock.patch.object(episodes, "sync"), mock.patch.object(episodes, "sync_one"):
        for i in range(count):
            if not episode_folder(root, i).exists():
                rng = np.random.default_rng(i)
                color = rng.choice(["red", "green", "blue"])
                metadata = {"task": "pick", "seed": i, "robot": "panda", "success": True}
                pointing = [f"pick up the {name}" for name in rng.choice(["cube", "ball", "cylinder"], 3)]
                steps = {name: rng.random((STEPS, *shape), np.float32) for name, shape in COLUMNS.items()}
                frames = list(rng.integers(0, 256, (STEPS, SIZE, SIZE, 3), np.uint8))
                episode = Episode(
                    metadata | {"pointing": pointing}, f"pick up the {color} cube", steps, {"front": frames}
                )
                write_episode(episode, episode_folder(root, i))
    close_store(root)


def epoch(root: Path) -> None:
    """Open a data set, and read each training window once, in random order."""
    dataset = WindowDataset(root, every_step=True)
    part = Subset(dataset, dataset.split(0.1, seed=0)["train"])
    for batch in DataLoader(part, 64, shuffle=True, collate_fn=lambda batch: batch):
        batch["observation.images.front"].mean()


def peak(work: str, root: Path) -> float:
    """Most anonymous memory in MB of a fresh process that does `work`: what it holds for itself.

    Pages of the memory-mapped cache are not counted. They are the disk's, and given up when memory is short.
    """
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.memory", work, root])
    most = 0
    while process.poll() is None:
        memory = psutil.Process(process.pid).memory_info()
        most = max(most, memory.rss - memory.shared)
        time.sleep(0.005)
    if process.returncode:
        raise RuntimeError(f"{work} ended with status {process.returncode}")
    return most / 1e6


def main() -> None:
    """Print the peaks."""
    with tempfile.TemporaryDirectory() as folder:
        root, first = Path(folder) / "data", {}
        for count in COUNTS:
            grow(root, count)
            parts = []
            for work, label in (("build", "building the cache"), ("epoch", "a shuffled epoch")):
                used = peak(work, root)
                first.setdefault(work, used)
                parts.append(f"{label} {used:.0f} MB ({used / first[work] - 1:+.1%})")
            print(f"memory at {count:>6} episodes: {', '.join(parts)}, torch included, page cache not")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        {"build": WindowDataset, "epoch": epoch}[sys.argv[1]](Path(sys.argv[2]))
