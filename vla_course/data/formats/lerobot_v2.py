"""LeRobot v2.1: a file for each episode. LeRobot up to 0.3 reads it, and 0.4 and later convert it to v3.0.

    meta/info.json                              features, fps, robot, totals, where the files lie
    meta/tasks.jsonl                            number and sentence
    meta/episodes.jsonl                         number, length, tasks of each episode
    meta/episodes_stats.jsonl                   statistics of each episode, for normalization
    data/chunk-000/episode_000000.parquet       a row for each step

What is where in a row, and what is lost: see `lerobot`.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow.parquet as pq

from vla_course.data.files import parse_json, read_file
from vla_course.data.formats.lerobot import (
    describe,
    episode_tables,
    index_columns,
    settings_of,
    to_recording,
    to_table,
)
from vla_course.data.formats.lerobot_stats import QUANTILES, episode_statistics, to_json
from vla_course.data.formats.recording import Recording

CHUNK = 1000  # episodes in a folder
DATA = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"


def write(root: Path, metadata: dict, recordings: Iterable[Recording]) -> None:
    """Write a data set; see `vla_course.data.formats.export_dataset`."""
    tasks: dict[str, int] = {}
    features, first, count = {}, 0, 0
    (root / "meta").mkdir()
    with open(root / "meta/episodes.jsonl", "w") as index, open(root / "meta/episodes_stats.jsonl", "w") as stats:
        for episode, recording in enumerate(recordings):
            features = features or describe(recording, metadata)
            sentence, length = recording.episode.instruction, len(recording.episode)
            task = tasks.setdefault(sentence, len(tasks))
            indices = index_columns(length, episode, first, task, metadata["fps"])
            path = root / DATA.format(episode_chunk=episode // CHUNK, episode_index=episode)
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(to_table(recording, features, indices), path, write_page_checksum=True)
            index.write(json.dumps({"episode_index": episode, "tasks": [sentence], "length": length}) + "\n")
            measured = to_json(episode_statistics(recording, indices))
            measured = {k: {m: v for m, v in values.items() if m not in QUANTILES} for k, values in measured.items()}
            stats.write(json.dumps({"episode_index": episode, "stats": measured}) + "\n")
            first, count = first + length, episode + 1
    lines = [json.dumps({"task_index": number, "task": sentence}) + "\n" for sentence, number in tasks.items()]
    (root / "meta/tasks.jsonl").write_text("".join(lines))
    info = {
        "codebase_version": "v2.1",
        "robot_type": metadata["robot"],
        "total_episodes": count,
        "total_frames": first,
        "total_tasks": len(tasks),
        "total_videos": 0,
        "total_chunks": (count - 1) // CHUNK + 1,
        "chunks_size": CHUNK,
        "fps": metadata["fps"],
        "splits": {"train": f"0:{count}"},
        "data_path": DATA,
        "video_path": None,
        "features": features,
    }
    (root / "meta/info.json").write_text(json.dumps(info, indent=1))


def read(root: Path) -> tuple[dict, Iterator[Recording]]:
    """Read a data set; see `vla_course.data.formats.import_dataset`."""
    info = parse_json(read_file(root, "meta/info.json"), "meta/info.json")
    if info.get("codebase_version") not in ("v2.0", "v2.1"):
        raise ValueError(f"meta/info.json: is of version {info.get('codebase_version')!r}, not v2.1")
    tasks = {line["task_index"]: line["task"] for line in _lines(root, "meta/tasks.jsonl")}
    return settings_of(info), _episodes(root, info, tasks)


def _episodes(root: Path, info: dict, tasks: dict[int, str]) -> Iterator[Recording]:
    lines = sorted(_lines(root, "meta/episodes.jsonl"), key=lambda line: line["episode_index"])
    if [line["episode_index"] for line in lines] != list(range(info["total_episodes"])):
        raise ValueError(f"meta/episodes.jsonl lists {len(lines)} episodes, info.json says {info['total_episodes']}")

    def place(path: str, episode: int, **names: str) -> Path:
        return root / path.format(episode_chunk=episode // info["chunks_size"], episode_index=episode, **names)

    for episode, line in enumerate(lines):
        tables = list(episode_tables([place(info["data_path"], episode)]))
        if [(t["episode_index"][0].as_py(), len(t)) for t in tables] != [(episode, line["length"])]:
            raise ValueError(f"episode {episode}: its rows in data/ are not those that meta/episodes.jsonl lists")
        yield to_recording(tables[0], info, tasks, lambda key, e: (place(info["video_path"], e, video_key=key), 0.0))


def _lines(root: Path, name: str) -> list[dict]:
    lines = read_file(root, name).splitlines()
    return [parse_json(line, f"{name} line {number}") for number, line in enumerate(lines, 1)]
