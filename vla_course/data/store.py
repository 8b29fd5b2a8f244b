"""A data set on disk: a folder of episodes with one description of them all.

dataset/
  metadata.json                   see `vla_course.data.description`
  instructions/pick.txt           the phrasings of each task
  episodes/episode_0001/          see `vla_course.data.episodes`
  damaged/                        what `verify` put aside
"""

import json
import os
import shutil
from pathlib import Path

import numpy as np

from vla_course.data.description import SCHEMA_VERSION, read_metadata, write_metadata
from vla_course.data.episodes import REMEDY, read_episode, read_steps
from vla_course.data.files import decode, read_file, replace_file, sha256
from vla_course.errors import CourseError


def episode_folder(root: Path, index: int) -> Path:
    """Where episode `index` lies."""
    return root / "episodes" / f"episode_{index:04d}"


def episode_folders(root: Path) -> list[Path]:
    """The complete episodes, in order."""
    folders = [f for f in (root / "episodes").glob("episode_*") if f.name.removeprefix("episode_").isdigit()]
    return sorted(folders, key=_number)


def next_episode(root: Path) -> int:
    """The number of a new episode, above all that are there: one must never take another's place."""
    return max(map(_number, episode_folders(root)), default=-1) + 1


def _number(folder: Path) -> int:
    return int(folder.name.removeprefix("episode_"))


def require_episodes(root: Path) -> list[Path]:
    """The complete episodes, in order.

    Raises:
        CourseError: there is none, or a folder among them cannot be listed.
    """
    folders = episode_folders(root)
    if not folders:
        raise CourseError(f'{root}: the data set is empty; record episodes with "vla-course collect"')
    for folder in folders:
        try:
            for path in folder.iterdir():
                path.stat()
        except OSError as error:  # a file in place of a folder, a link to nothing
            raise CourseError(f"{folder.name}: {Path(error.filename).name}: {error.strerror}; {REMEDY}") from error
    return folders


def read_instructions(root: Path) -> dict[str, list[str]]:
    """Task name to its phrasings.

    Raises:
        CourseError: a file of them cannot be read.
    """
    names = [f"instructions/{path.name}" for path in sorted((root / "instructions").glob("*.txt"))]
    try:
        return {Path(name).stem: decode(read_file(root, name), name).splitlines() for name in names}
    except ValueError as error:
        raise CourseError(f"{root}: {error}; {REMEDY}") from error


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
            replace_file(root / "instructions" / f"{task}.txt", ("\n".join(phrasings) + "\n").encode())
        for leftover in (root / "episodes").glob(".episode_*.partial"):
            shutil.rmtree(leftover)
    except OSError as error:
        raise _cannot_write(root, error) from error
    _describe(root, settings)


def close_store(root: Path) -> dict:
    """Add the statistics of every feature to metadata.json, and return it.

    Raises:
        CourseError: no data set, an empty one, a damaged episode, or a full disk.
    """
    metadata = read_metadata(root)
    episodes = [read_steps(folder) for folder in require_episodes(root)]
    columns = {name: np.concatenate([e[name] for e in episodes]) for name in episodes[0]}
    metadata["episodes"] = len(episodes)
    metadata["steps"] = sum(len(e["action"]) for e in episodes)
    metadata["statistics"] = {name: statistics(rows) for name, rows in columns.items()}
    _describe(root, metadata)
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


def verify(root: Path, repair: bool = False) -> tuple[int, list[str]]:
    """Read everything in a data set.

    Args:
        root: the data set.
        repair: move what is damaged to `root/damaged/`, and describe the rest again in metadata.json. Nothing is
            deleted: a part of a damaged recording may still be worth saving by hand.

    Returns:
        How many episodes are sound, and one line for each thing that is not.

    Raises:
        CourseError: `root` holds no data set, its metadata.json is damaged, or it cannot be written.
    """
    metadata = read_metadata(root)
    folders = episode_folders(root)
    damaged: dict[Path | None, str] = {}
    for folder in folders:
        try:
            read_episode(folder)
        except CourseError as error:
            damaged[folder] = str(error).removesuffix(f"; {REMEDY}")
    sound = len(folders) - len(damaged)
    for name, checksum in metadata.get("checksums", {}).items():
        try:
            if sha256(read_file(root, name)) != checksum:
                raise ValueError(f"{name}: is not the file that metadata.json lists")
        except ValueError as error:
            damaged[root / name] = str(error)
    if metadata.get("episodes", len(folders)) != len(folders):
        damaged[None] = f"metadata.json: counts {metadata['episodes']} episodes, {len(folders)} are here"
    if repair and damaged:
        for path in filter(None, damaged):
            damaged[path] += _put_aside(path, root)
        finished = metadata.pop("statistics", None)
        _describe(root, {key: value for key, value in metadata.items() if key not in ("episodes", "steps")})
        if finished and episode_folders(root):
            close_store(root)
    return sound, list(damaged.values())


def _put_aside(path: Path, root: Path) -> str:
    """Move what is damaged out of the way, and say where it is."""
    if not path.exists() and not path.is_symlink():
        return ""
    try:
        (root / "damaged").mkdir(exist_ok=True)
        place, number = root / "damaged" / path.name, 1
        while place.exists() or place.is_symlink():  # an earlier repair put its predecessor there
            place, number = place.with_name(f"{path.name}.{number}"), number + 1
        os.rename(path, place)
    except OSError as error:
        raise _cannot_write(root, error) from error
    return f" (moved to damaged/{place.name})"


def _describe(root: Path, metadata: dict) -> None:
    """Write metadata.json with the checksums of the files in instructions/."""
    try:
        files = sorted(f"instructions/{path.name}" for path in (root / "instructions").glob("*.txt"))
        write_metadata(root, {**metadata, "checksums": {name: sha256(read_file(root, name)) for name in files}})
    except OSError as error:
        raise _cannot_write(root, error) from error


def _cannot_write(root: Path, error: OSError) -> CourseError:
    return CourseError(f"{root}: cannot be written: {error.strerror}; free space or choose another folder")
