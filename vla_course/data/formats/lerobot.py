"""What the versions of LeRobot's format share: names of features, and the table of an episode.

| here                    | in LeRobot                                                                    |
|-------------------------|-------------------------------------------------------------------------------|
| instruction             | task                                                                          |
| action                  | action                                                                        |
| state, joints           | observation.state, observation.joints                                         |
| reward                  | next.reward                                                                   |
| success                 | next.success: true in the last row of an episode that succeeded               |
| timestamp               | recorded_timestamp; LeRobot's own timestamp must be frame_index / fps         |
| other columns           | their own name: LeRobot would feed a policy every "observation...", labels too |
| color pictures          | observation.images.<camera>, JPEG or PNG in the table (import: films too)     |
| depth (uint16 mm)       | observation.depth.<camera>, PNG                                               |
| segmentation (id + 1)   | observation.segmentation.<camera>, PNG                                        |
| metadata, units, seeds  | no place: folder vla_course/, see `recording`                                 |

Sources: lerobot 0.3.3 (v2.1) and 0.6.1 (v3.0), `datasets/utils.py`, `datasets/feature_utils.py`.

An import gives a foreign camera the place of its name ("front", "wrist" within it), else the next free one; what the
course has no place for (more cameras, depth films, texts) is listed under "left_out" in metadata.json. Numbers become
float32. A data set that says nothing about success counts as successful: people share demonstrations that worked.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vla_course.data.episodes import FRAME_FOLDERS, Episode
from vla_course.data.formats.recording import COLORS, Recording
from vla_course.data.formats.video import read_video
from vla_course.data.pictures import suffix
from vla_course.data.windows import SENSORS, picture_key

COLUMNS = {
    "state": "observation.state",
    "joints": "observation.joints",
    "reward": "next.reward",
    "timestamp": "recorded_timestamp",
    **{name: f"observation.{name}" for name in SENSORS},
}
NAMES = {key: name for name, key in COLUMNS.items()}
INDICES = ("frame_index", "episode_index", "index", "task_index")  # LeRobot's own columns, beside timestamp
NUMBERS = {"float16", "float32", "float64", "bool", *(f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64))}

Film = Callable[[str, int], tuple[Path, float]]  # key and episode to the film and where in it the episode begins


def describe(recording: Recording, metadata: dict) -> dict[str, dict]:
    """The features of info.json, of an episode and the metadata of its data set."""
    features = {}
    for name, rows in recording.episode.steps.items():
        names = metadata["features"].get(name, {}).get("names")
        shape = list(rows.shape[1:]) or [1]
        features[COLUMNS.get(name, name)] = {"dtype": "float32", "shape": shape, "names": names}
    features["next.success"] = {"dtype": "bool", "shape": [1], "names": None}
    for stream, frames in recording.episode.frames.items():
        shape = [*frames[0].shape[:2], 3 if stream in COLORS else 1]
        feature = {"dtype": "image", "shape": shape, "names": ["height", "width", "channels"]}
        if stream.endswith("_depth"):
            feature["info"] = {"is_depth_map": True, "depth_unit": "mm"}
        features[picture_key(stream)] = feature
    features["timestamp"] = {"dtype": "float32", "shape": [1], "names": None}
    return features | {key: {"dtype": "int64", "shape": [1], "names": None} for key in INDICES}


def to_table(recording: Recording, features: dict, indices: dict[str, np.ndarray]) -> pa.Table:
    """The table of an episode: a row for each step, a column for each feature.

    Args:
        recording: the episode.
        features: of `describe`.
        indices: of `index_columns`.
    """
    columns = {COLUMNS.get(name, name): _column(rows) for name, rows in recording.episode.steps.items()}
    columns["next.success"] = pa.array(_success(recording))
    for stream, files in recording.files.items():
        pictures = [{"bytes": content, "path": f"frame_{i:06d}{suffix(stream)}"} for i, content in enumerate(files)]
        columns[picture_key(stream)] = pa.array(pictures, pa.struct({"bytes": pa.binary(), "path": pa.string()}))
    columns |= {key: pa.array(values) for key, values in indices.items()}
    hints = {"info": {"features": {key: _hint(feature) for key, feature in features.items()}}}
    return pa.table({key: columns[key] for key in features}).replace_schema_metadata({"huggingface": json.dumps(hints)})


def index_columns(length: int, episode: int, first: int, task: int, fps: float) -> dict[str, np.ndarray]:
    """LeRobot's own columns of an episode: its rows, its number, the number of its first row and of its task."""
    frame = np.arange(length)
    values = (frame, np.full(length, episode), first + frame, np.full(length, task))
    return {"timestamp": (frame / fps).astype(np.float32), **dict(zip(INDICES, values, strict=True))}


def _success(recording: Recording) -> np.ndarray:
    length = len(recording.episode)
    return (np.arange(length) == length - 1) & bool(recording.episode.metadata["success"])


def _column(rows: np.ndarray) -> pa.Array:
    if rows.ndim == 1 or rows.shape[1:] == (1,):
        return pa.array(rows.reshape(-1))
    if rows.ndim == 2:
        return pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), rows.shape[1])
    kind = pa.float32()
    for _ in rows.shape[1:]:
        kind = pa.list_(kind)
    return pa.array(rows.tolist(), kind)


def _hint(feature: dict) -> dict:
    """The type of a column for the `datasets` library: without it a picture would stay bytes."""
    if feature["dtype"] == "image":
        return {"_type": "Image"}
    value, shape = {"dtype": feature["dtype"], "_type": "Value"}, feature["shape"]
    if shape == [1]:
        return value
    if len(shape) == 1:
        return {"feature": value, "length": shape[0], "_type": "Sequence"}
    return {"shape": shape, "dtype": feature["dtype"], "_type": f"Array{len(shape)}D"}


def episode_tables(paths: Iterable[Path]) -> Iterator[pa.Table]:
    """The rows of one episode after another, however they lie in the files; a few rows in memory at a time.

    Raises:
        pyarrow.ArrowException: a file is damaged.
    """
    parts: list[pa.Table] = []
    for path in paths:
        with pq.ParquetFile(path, pre_buffer=False, page_checksum_verification=True) as file:
            for batch in file.iter_batches(batch_size=64):
                table = pa.Table.from_batches([batch])
                ids = table["episode_index"].to_numpy()
                edges = [0, *(np.flatnonzero(np.diff(ids)) + 1).tolist(), len(ids)]
                for start, stop in zip(edges, edges[1:], strict=False):
                    if parts and parts[-1]["episode_index"][0].as_py() != ids[start]:
                        yield pa.concat_tables(parts)
                        parts = []
                    parts.append(table.slice(start, stop - start))
    if parts:
        yield pa.concat_tables(parts)


def settings_of(info: dict) -> dict:
    """What info.json says of a data set, in the words of the course: fps, robot, and the names of the columns."""
    features, streams = info["features"], _streams(info["features"])
    numbers = {_name(key): feature for key, feature in _numbers(features).items()}
    own = {"next.success", "timestamp", *INDICES}
    return {
        "robot": info.get("robot_type") or "unknown",
        "fps": info["fps"],
        "features": {name: {"names": _component_names(feature)} for name, feature in numbers.items()},
        "camera_names": {stream: key for key, stream in streams.items() if key != picture_key(stream)},
        "left_out": sorted(key for key in features if key not in {*_numbers(features), *streams, *own}),
    }


def to_recording(table: pa.Table, info: dict, tasks: dict[int, str], film: Film) -> Recording:
    """The episode in a table.

    Args:
        table: of `episode_tables`.
        info: info.json.
        tasks: number to sentence.
        film: finds the film of a key and episode.

    Raises:
        ValueError, KeyError, TypeError: the table is not what info.json says.
    """
    length, episode = len(table), table["episode_index"][0].as_py()
    if table["frame_index"].to_pylist() != list(range(length)):
        raise ValueError(f"episode {episode}: its rows are not those of frames 0 to {length - 1}")
    steps = {}
    for key, feature in _numbers(info["features"]).items():
        rows = np.array(table[key].to_pylist(), dtype=np.float32)
        shape = tuple(feature["shape"])
        if rows.shape[1:] not in (shape, () if shape == (1,) else shape):
            raise ValueError(f"episode {episode}: rows of {key!r} have shape {rows.shape[1:]}, info.json says {shape}")
        steps[_name(key)] = rows.reshape(length, *(() if key in COLUMNS.values() and shape == (1,) else shape))
    steps.setdefault("timestamp", np.array(table["timestamp"].to_pylist(), dtype=np.float32))
    metadata = {"robot": info.get("robot_type") or "unknown"}
    if "next.success" in info["features"]:
        metadata["success"] = any(table["next.success"].to_pylist())
    recording = Recording(Episode(metadata, tasks[table["task_index"][0].as_py()], steps))
    for key, stream in _streams(info["features"]).items():
        if info["features"][key]["dtype"] == "video":
            path, start = film(key, episode)
            recording.episode.frames[stream] = read_video(path, start, length)[0]
        else:
            recording.add_pictures(stream, [picture["bytes"] for picture in table[key].to_pylist()])
    return recording


def _name(key: str) -> str:
    if not re.fullmatch(r"\w[\w.-]*", key):
        raise ValueError(f"meta/info.json: feature {key!r} is not a name of letters, digits, dots, dashes")
    return NAMES.get(key, key)


def _numbers(features: dict) -> dict[str, dict]:
    """The features that become columns of the course."""
    skip = {"next.success", "timestamp", *INDICES}
    return {key: f for key, f in features.items() if f["dtype"] in NUMBERS and key not in skip}


def _component_names(feature: dict) -> list | None:
    """Names of the components: a list, or in older data sets a list inside of a dict."""
    names = feature.get("names")
    if isinstance(names, dict):
        names = next((value for value in names.values() if isinstance(value, list)), list(names))
    return names


def _streams(features: dict) -> dict[str, str]:
    """Which stream of the course each feature of pictures becomes: by our key, by a name within it, by order."""
    ours = {picture_key(stream): stream for stream in FRAME_FOLDERS}
    pictures = {key: f["dtype"] for key, f in features.items() if f["dtype"] in ("image", "video")}
    streams = {k: ours[k] for k, dtype in pictures.items() if k in ours and (dtype == "image" or ours[k] in COLORS)}
    foreign = [key for key in pictures if key not in ours and not _is_depth(features[key])]
    for by_name in (True, False):
        for key in foreign:
            free = [c for c in COLORS if c not in streams.values() and (c in key or not by_name)]
            if key not in streams and free:
                streams[key] = free[0]
    return streams


def _is_depth(feature: dict) -> bool:
    details = {**(feature.get("info") or {}), **(feature.get("video_info") or {})}
    return any(value for key, value in details.items() if key.endswith("is_depth_map"))
