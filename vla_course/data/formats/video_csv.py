"""A folder of films and tables, for people who have only that.

    episode_0000/front.mp4          one film for each camera, or a folder front/ of pictures in the order of their names
    episode_0000/front_depth/       depth and segmentation are always pictures (PNG): a film would change their numbers
    episode_0000/steps.csv          a row for each picture: action.x, action.y, ..., state.x, ..., reward
    episode_0000/instruction.txt    the sentence

A column is named <name>.<component>, or <name> where there is one number a step. Only "action" is required. "timestamp"
(seconds) is counted from the film's rate where it is missing. "success" is 0 or 1 all the way down; where it is
missing, the episode counts as successful. A film of another name than a camera's takes the next free camera.

An export writes films (H.264): numbers come back exactly, colors to within about one level of 255 on average
(tests/test_formats.py). Units, goal conditions and seeds have no place but the folder vla_course/, see `recording`.
"""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from vla_course.data.episodes import FRAME_FOLDERS, Episode
from vla_course.data.files import decode, read_file
from vla_course.data.formats.recording import COLORS, Recording
from vla_course.data.formats.video import read_video, write_video

FILMS = {".mp4", ".avi", ".mkv", ".mov", ".webm"}
PICTURES = {".png", ".jpg", ".jpeg"}


def write(root: Path, metadata: dict, recordings: Iterable[Recording]) -> None:
    """Write a data set; see `vla_course.data.formats.export_dataset`."""
    for number, recording in enumerate(recordings):
        episode, folder = recording.episode, root / f"episode_{number:04d}"
        folder.mkdir()
        table = _table(episode, metadata["features"])
        table["success"] = [int(episode.metadata["success"])] * len(episode)
        with open(folder / "steps.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([list(table), *zip(*table.values(), strict=True)])
        (folder / "instruction.txt").write_bytes((episode.instruction + "\n").encode())
        for stream, files in recording.files.items():
            if stream in COLORS:
                write_video(folder / f"{stream}.mp4", episode.frames[stream], metadata["fps"])
            else:
                (folder / stream).mkdir()
                for i, content in enumerate(files):
                    (folder / stream / f"frame_{i:04d}.png").write_bytes(content)


def read(root: Path) -> tuple[dict, Iterator[Recording]]:
    """Read a data set; see `vla_course.data.formats.import_dataset`."""
    folders = sorted(path.parent for path in root.glob("*/steps.csv"))
    if not folders:
        raise ValueError("holds no */steps.csv")
    columns = _columns(folders[0])
    features = {
        name: {"names": list(components) if "" not in components else [name]} for name, components in columns.items()
    }
    features.pop("success", None)
    film = next((path for path in sorted(folders[0].iterdir()) if path.suffix in FILMS), None)
    if film is not None:
        fps = read_video(film, count=1)[1]
    elif "timestamp" in columns and len(columns["timestamp"][""]) > 1:
        fps = 1 / float(np.median(np.diff(columns["timestamp"][""])))
    else:
        raise ValueError(f"{folders[0].name}/steps.csv: without a film it needs a column 'timestamp' (seconds)")
    fps = round(fps, 3)
    return {"fps": fps, "features": features}, (_recording(folder, fps) for folder in folders)


def _recording(folder: Path, fps: float) -> Recording:
    columns = _columns(folder)
    steps = {name: np.stack(list(parts.values()), axis=1) for name, parts in columns.items() if "" not in parts}
    steps |= {name: parts[""] for name, parts in columns.items() if "" in parts}
    if "action" not in steps:
        raise ValueError(f"{folder.name}/steps.csv: has no column action.<component>")
    success = steps.pop("success", None)
    metadata = {} if success is None else {"success": bool(success[-1])}
    steps.setdefault("timestamp", np.arange(len(steps["action"]), dtype=np.float32) / np.float32(fps))
    instruction = decode(read_file(folder, "instruction.txt"), f"{folder.name}/instruction.txt").strip()
    recording = Recording(Episode(metadata, instruction, steps))
    sources = [p for p in sorted(folder.iterdir()) if p.is_dir() or p.suffix in FILMS]
    free = [camera for camera in COLORS if camera not in {p.stem for p in sources}]
    for source in sources:
        if source.stem in FRAME_FOLDERS:
            stream = source.stem
        elif free:
            stream = free.pop(0)
        else:
            raise ValueError(
                f"{folder.name}/{source.name}: no camera is left for it; the course has {', '.join(COLORS)}"
            )
        if source.is_dir():
            files = [p.read_bytes() for p in sorted(source.iterdir()) if p.suffix in PICTURES]
            recording.add_pictures(stream, files)
        else:
            recording.episode.frames[stream] = read_video(source)[0]
    return recording


def _table(episode: Episode, features: dict) -> dict[str, list[str]]:
    """Column to its numbers as the shortest decimals that read back as the same float32."""
    table = {}
    for name, rows in episode.steps.items():
        flat = rows.reshape(len(rows), -1)
        names = np.array(features.get(name, {}).get("names") or []).reshape(-1)
        names = names if len(names) == flat.shape[1] else range(flat.shape[1])
        keys = [name] if rows.ndim == 1 and "." not in name else [f"{name}.{component}" for component in names]
        table |= {key: [str(value) for value in column] for key, column in zip(keys, flat.T, strict=True)}
    return table


def _columns(folder: Path) -> dict[str, dict[str, np.ndarray]]:
    """Name to component to its (T,) numbers; the component of a lone number is ""."""
    name = f"{folder.name}/steps.csv"
    header, *lines = csv.reader(decode(read_file(folder, "steps.csv"), name).removeprefix("\ufeff").splitlines())
    if not lines or any(len(line) != len(header) for line in lines) or len(set(header)) != len(header):
        raise ValueError(f"{name}: has no rows, rows of another length than its first line, or a column twice")
    columns: dict[str, dict[str, np.ndarray]] = {}
    for key, values in zip(header, zip(*lines, strict=True), strict=True):
        group, _, component = key.strip().rpartition(".") if "." in key else (key.strip(), "", "")
        try:
            columns.setdefault(group, {})[component] = np.array(values, dtype=np.float32)
        except ValueError as error:
            raise ValueError(f"{name}: column {key!r} holds something else than numbers ({error})") from error
    return columns
