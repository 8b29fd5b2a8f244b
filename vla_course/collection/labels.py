"""What an episode says of itself, without its numbers and pictures."""

from pathlib import Path

from vla_course.data.episodes import REMEDY, REQUIRED
from vla_course.data.files import decode, parse_json, read_file
from vla_course.errors import CourseError


def read_labels(folder: Path) -> dict:
    """The metadata of an episode (task, seed, robot, success, ...), and its sentence under "instruction".

    Raises:
        CourseError: a file is missing or damaged.
    """
    try:
        metadata = parse_json(read_file(folder, "metadata.json"), "metadata.json")
        if missing := [key for key in REQUIRED if key not in metadata]:
            raise ValueError(f"metadata.json lacks {', '.join(missing)}")
        return {**metadata, "instruction": decode(read_file(folder, "instruction.txt"), "instruction.txt").strip()}
    except ValueError as error:
        raise CourseError(f"{folder.name}: {error}; {REMEDY}") from error
