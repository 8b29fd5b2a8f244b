"""A data set on disk: a folder of episodes with one description of them all.

dataset/
  metadata.json                   what was recorded, how, and the statistics of each feature
  instructions/pick.txt           the phrasings of each task
  episodes/episode_0001/          see `vla_course.data.episodes`
"""

import json
import os
import shutil
from pathlib import Path

import numpy as np

from vla_course.data.episodes import read_episode, read_steps
from vla_course.errors import CourseError

SCHEMA_VERSION = 1


def episode_folder(root: Path, index: int) -> Path:
    """Where episode `index` lies."""
    return root / "episodes" / f"episode_{index:04d}"


def episode_folders(root: Path) -> list[Path]:
    """The complete episodes, in order."""
    folders = [f for f in (root / "episodes").glob("episode_*") if f.name.removeprefix("episode_").isdigit()]
    return sorted(folders, key=lambda folder: int(folder.name.removeprefix("episode_")))


def require_episodes(root: Path) -> list[Path]:
    """The complete episodes, in order.

    Raises:
        CourseError: there is none.
    """
    folders = episode_folders(root)
    if not folders:
        raise CourseError(f'{root}: the data set is empty; record episodes with "vla-course collect"')
    return folders


def open_store(root: Path, settings: dict, instructions: dict[str, list[str]]) -> None:
    """Begin a data set, or continue one that was recorded with the same settings.

    Args:
        root: its folder.
        settings: what every episode shares (robot, cameras, action mode, seed, features, ...).
        instructions: task name to its phrasings.

    Raises:
        CourseError: the folder cannot be written, or holds a data set with other settings.
    """
    settings = {"schema_version": SCHEMA_VERSION, **settings}
    if (root / "metadata.json").exists():
        found = read_metadata(root)
        for key, value in settings.items():
            if json.loads(json.dumps(value)) != found.get(key):
                raise CourseError(
                    f"{root}: was recorded with {key} = {found.get(key)!r}, not {value!r}; "
                    "choose another folder or delete this one"
                )
    try:
        (root / "episodes").mkdir(parents=True, exist_ok=True)
        (root / "instructions").mkdir(exist_ok=True)
        for task, phrasings in instructions.items():
            (root / "instructions" / f"{task}.txt").write_text("\n".join(phrasings) + "\n")
        for leftover in (root / "episodes").glob(".episode_*.partial"):
            shutil.rmtree(leftover)
        _write_json(root / "metadata.json", settings)
    except OSError as error:
        raise CourseError(f"{root}: cannot be written: {error.strerror}; choose another folder") from error


def close_store(root: Path) -> dict:
    """Add the statistics of every feature to metadata.json, and return it."""
    metadata = read_metadata(root)
    episodes = [read_steps(folder) for folder in require_episodes(root)]
    columns = {name: np.concatenate([e[name] for e in episodes]) for name in episodes[0]}
    metadata["episodes"] = len(episodes)
    metadata["steps"] = sum(len(e["action"]) for e in episodes)
    metadata["statistics"] = {name: statistics(rows) for name, rows in columns.items()}
    _write_json(root / "metadata.json", metadata)
    return metadata


def statistics(rows: np.ndarray) -> dict[str, list[float]]:
    """Mean, standard deviation, extremes and quantiles of each column.

    Args:
        rows: (N, D) or (N,).

    Returns:
        Each of mean, std, min, max, q01, q99 as a list of D numbers.
    """
    rows = rows.reshape(len(rows), -1).astype(np.float64)
    measures = {
        "mean": rows.mean(0),
        "std": rows.std(0),
        "min": rows.min(0),
        "max": rows.max(0),
        "q01": np.quantile(rows, 0.01, axis=0),
        "q99": np.quantile(rows, 0.99, axis=0),
    }
    return {name: values.round(6).tolist() for name, values in measures.items()}


def read_metadata(root: Path) -> dict:
    """What a data set says of itself.

    Raises:
        CourseError: there is none in `root`, or it cannot be read.
    """
    path = root / "metadata.json"
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise CourseError(
            f'{root}: holds no data set (no metadata.json); record one with "vla-course collect"'
        ) from None
    except (OSError, ValueError) as error:
        raise CourseError(f"{path}: cannot be read ({error}); restore it or collect again") from None


def verify(root: Path, repair: bool = False) -> tuple[int, list[str]]:
    """Read every episode of a data set.

    Args:
        root: the data set.
        repair: delete the damaged episodes; the sound ones stay.

    Returns:
        How many episodes are sound, and one line for each that is not.

    Raises:
        CourseError: `root` holds no data set.
    """
    read_metadata(root)
    sound, damaged = 0, []
    for folder in episode_folders(root):
        try:
            read_episode(folder)
            sound += 1
        except CourseError as error:
            damaged.append(str(error).split(";")[0])
            if repair:
                shutil.rmtree(folder)
    return sound, damaged


def _write_json(path: Path, content: dict) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(content, indent=1) + "\n")
    os.replace(partial, path)
