"""LeRobot v3.0: many episodes in a file, found by an index.

    meta/info.json                                features, fps, robot, totals, where the files lie
    meta/stats.json                               statistics of each feature, for normalization
    meta/tasks.parquet                            sentence to number
    meta/episodes/chunk-000/file-000.parquet      a row for each episode: length, tasks, where its rows lie, statistics
    data/chunk-000/file-000.parquet               a row for each step; an episode is a row group

What is where in a row, and what is lost: see `lerobot`.
"""

import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
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
from vla_course.data.formats.lerobot_stats import episode_statistics, pool, to_json
from vla_course.data.formats.recording import Recording

FILES_IN_CHUNK, DATA_MB, VIDEO_MB = 1000, 100, 200  # LeRobot's defaults
FILE = "chunk-{chunk_index:03d}/file-{file_index:03d}"


class _Files:
    """Parquet files of about DATA_MB each, filled one after another."""

    def __init__(self, root: Path):
        self.root, self.chunk, self.index, self.writer = root, 0, -1, None

    def write(self, table: pa.Table) -> None:
        if self.writer is None:
            self.index += 1
            self.chunk = self.index // FILES_IN_CHUNK
            path = self.root / (
                FILE.format(chunk_index=self.chunk, file_index=self.index % FILES_IN_CHUNK) + ".parquet"
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            self.path, self.writer = path, pq.ParquetWriter(path, table.schema, write_page_checksum=True)
        self.writer.write_table(table)

    def close(self, full: int = 0) -> None:
        """Close the file if it has `full` bytes."""
        if self.writer is not None and self.path.stat().st_size >= full:
            self.writer.close()
            self.writer = None


def write(root: Path, metadata: dict, recordings: Iterable[Recording]) -> None:
    """Write a data set; see `vla_course.data.formats.export_dataset`."""
    data, index = _Files(root / "data"), _Files(root / "meta" / "episodes")
    tasks: dict[str, int] = {}
    rows, features, total, first, count = [], {}, None, 0, 0
    try:
        for episode, recording in enumerate(recordings):
            features = features or describe(recording, metadata)
            sentence, length = recording.episode.instruction, len(recording.episode)
            task = tasks.setdefault(sentence, len(tasks))
            indices = index_columns(length, episode, first, task, metadata["fps"])
            data.write(to_table(recording, features, indices))
            measured = episode_statistics(recording, indices)
            total = pool(total, measured) if total else measured
            row = {"episode_index": episode, "tasks": [sentence], "length": length}
            row |= {"dataset_from_index": first, "dataset_to_index": first + length}
            row |= {"data/chunk_index": data.chunk, "data/file_index": data.index % FILES_IN_CHUNK}
            row |= {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0}
            row |= {f"stats/{key}/{m}": v for key, measures in to_json(measured).items() for m, v in measures.items()}
            rows.append(row)
            if len(rows) == 100:
                index.write(pa.Table.from_pylist(rows))
                rows = []
            data.close(full=DATA_MB * 2**20)
            first, count = first + length, episode + 1
        if rows:
            index.write(pa.Table.from_pylist(rows))
    finally:
        data.close()
        index.close()
    _write_tasks(root / "meta" / "tasks.parquet", tasks)
    (root / "meta" / "stats.json").write_text(json.dumps(to_json(total), indent=1))
    info = {
        "codebase_version": "v3.0",
        "robot_type": metadata["robot"],
        "total_episodes": count,
        "total_frames": first,
        "total_tasks": len(tasks),
        "chunks_size": FILES_IN_CHUNK,
        "data_files_size_in_mb": DATA_MB,
        "video_files_size_in_mb": VIDEO_MB,
        "fps": metadata["fps"],
        "splits": {"train": f"0:{count}"},
        "data_path": f"data/{FILE}.parquet",
        "video_path": None,
        "features": features,
    }
    (root / "meta" / "info.json").write_text(json.dumps(info, indent=1))


def _write_tasks(path: Path, tasks: dict[str, int]) -> None:
    """Sentence to number, with the note that makes pandas take the sentences as the index."""
    table = pa.table({"task_index": pa.array(tasks.values(), pa.int64()), "task": pa.array(tasks, pa.string())})
    kinds = {"task_index": ("int64", "int64"), "task": ("unicode", "object")}
    columns = [
        {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": numpy_kind, "metadata": None}
        for name, (kind, numpy_kind) in kinds.items()
    ]
    note = {"index_columns": ["task"], "column_indexes": [], "columns": columns, "pandas_version": "2.0.0"}
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(note)}), path, write_page_checksum=True)


def read(root: Path) -> tuple[dict, Iterator[Recording]]:
    """Read a data set; see `vla_course.data.formats.import_dataset`."""
    info = parse_json(read_file(root, "meta/info.json"), "meta/info.json")
    if not str(info.get("codebase_version")).startswith("v3"):
        raise ValueError(f"meta/info.json: is of version {info.get('codebase_version')!r}, not v3.0")
    table = pq.read_table(root / "meta" / "tasks.parquet", page_checksum_verification=True)
    (sentences,) = set(table.column_names) - {"task_index"}  # "task", or pandas' name for an index
    tasks = dict(zip(table["task_index"].to_pylist(), table[sentences].to_pylist(), strict=True))
    return settings_of(info), _episodes(root, info, tasks)


def _episodes(root: Path, info: dict, tasks: dict[int, str]) -> Iterator[Recording]:
    rows = {}
    for path in sorted((root / "meta" / "episodes").glob("*/*.parquet")):
        names = [n for n in pq.read_schema(path).names if not n.startswith("stats/")]
        table = pq.read_table(path, columns=names, page_checksum_verification=True, partitioning=None)
        rows |= {row["episode_index"]: row for row in table.to_pylist()}
    if sorted(rows) != list(range(info["total_episodes"])):
        raise ValueError(f"meta/episodes lists {len(rows)} episodes, info.json says {info['total_episodes']}")

    def film(key: str, episode: int) -> tuple[Path, float]:
        row = {name.removeprefix(f"videos/{key}/"): value for name, value in rows[episode].items()}
        place = {"chunk_index": row["chunk_index"], "file_index": row["file_index"]}
        return root / info["video_path"].format(video_key=key, **place), row["from_timestamp"]

    tables = episode_tables(sorted((root / "data").glob("*/*.parquet")))
    for episode, table in itertools.zip_longest(range(len(rows)), tables):
        found = table and (table["episode_index"][0].as_py(), len(table))
        if episode is None or found != (episode, rows[episode]["length"]):
            raise ValueError(f"episode {episode}: its rows in data/ are not those that meta/episodes lists")
        yield to_recording(table, info, tasks, film)
