"""The metadata.json of a data set: what was recorded, how, and the statistics of each feature.

It holds its own checksum under "sha256": that of its other content, as `json.dumps` writes it.

Schema versions:
    1: no checksums. Damage that leaves a file readable cannot be found. Still read, no longer written.
    2: metadata.json holds its own checksum and those of the files in instructions/; each episode has a SHA256SUMS.
"""

import json
from pathlib import Path

from vla_course.data.files import parse_json, read_file, replace_file, sha256
from vla_course.errors import CourseError

SCHEMA_VERSION = 2
READABLE = (1, SCHEMA_VERSION)

COMPUTED = ("schema_version", "episodes", "steps", "statistics", "checksums")  # all else was chosen when recording

TYPES = {"cameras": list, "modalities": list, "features": dict, "statistics": dict, "checksums": dict, "episodes": int}


def read_metadata(root: Path) -> dict:
    """What a data set says of itself.

    Raises:
        CourseError: there is none in `root`, it is damaged, or of a schema version that is unknown here.
    """
    path = root / "metadata.json"
    if not path.exists() and not path.is_symlink():
        raise CourseError(f'{root}: holds no data set (no metadata.json); record one with "vla-course collect"')
    try:
        metadata = parse_json(read_file(root, path.name), path.name)
        version = metadata.get("schema_version")
        known = type(version) is int and version in READABLE
        if known:
            _check(metadata, metadata.pop("sha256", None))
    except (ValueError, RecursionError) as error:
        raise CourseError(
            f"{root}: {error}; restore it, or delete it and run the same collection again: the episodes stay"
        ) from error
    if not known:
        raise CourseError(
            f"{root}: metadata.json has schema version {version!r}, this course reads {READABLE[0]} and "
            f"{READABLE[1]}; use the course that recorded it, or collect again"
        )
    return metadata


def write_metadata(root: Path, metadata: dict) -> None:
    """Write what a data set says of itself, with its checksum; there is the old one or the new one at every moment.

    Raises:
        OSError: it cannot be written; the old one is still there.
        ValueError: a number in `metadata` is not finite.
    """
    metadata = json.loads(json.dumps(metadata, allow_nan=False))  # as it will be read: lists for tuples
    content = {**metadata, "sha256": _checksum(metadata)}
    replace_file(root / "metadata.json", (json.dumps(content, indent=1) + "\n").encode())


def _checksum(metadata: dict) -> str:
    return sha256(json.dumps(metadata).encode())


def _check(metadata: dict, checksum: str | None) -> None:
    if checksum != _checksum(metadata) and (metadata["schema_version"] > 1 or checksum is not None):
        raise ValueError("metadata.json: differs from the checksum that it holds")
    for key, kind in TYPES.items():
        if not isinstance(metadata.get(key, kind()), kind):
            raise ValueError(f"metadata.json: {key} is {metadata[key]!r}, not a {kind.__name__}")
    for name, feature in metadata.get("features", {}).items():
        shape = feature.get("shape") if isinstance(feature, dict) else None
        if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
            raise ValueError(f"metadata.json: feature {name!r} has no shape")
