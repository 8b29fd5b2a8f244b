"""What grading one submission brings forth, as it lies on disk."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from vla_course.data.files import replace_file


@dataclass
class CellResult:
    """One compared cell.

    Attributes:
        cell: its id.
        kind: "check", "probe" or "measure".
        passed: whether what it printed is what the solution printed.
        expected, got: the texts; for a measure, what is asked and what was reached.
        reason: why it failed, for the student; "" where it passed.
    """

    cell: str
    kind: str
    passed: bool
    expected: str = ""
    got: str = ""
    reason: str = ""


@dataclass
class TaskResult:
    """One task. It earns its points when every one of its cells passed; a measure may earn a part of them."""

    name: str
    title: str
    points: float
    max_points: float
    answer: str
    cells: list[CellResult] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether it earned all its points."""
        return self.points == self.max_points

    @property
    def reason(self) -> str:
        """Why it did not earn all its points, in a sentence."""
        return next((cell.reason for cell in self.cells if cell.reason), "")


@dataclass
class SubmissionResult:
    """One graded submission, before late penalty and adjustment.

    Attributes:
        student: as found, unescaped: treat it as hostile text.
        notebook: such as "week08_behavior_cloning".
        key: hash of the submission, the solution and the settings: the same key needs no second run.
        seed: the grading seed.
        sandbox: "bubblewrap", "docker", "podman" or "none".
        submitted_at: ISO 8601 with an offset, or "".
        ending: why the kernel was ended early, or "".
        warnings: for the instructor and the student.
        seconds: wall clock.
        tasks: in the order of the notebook.
    """

    student: str
    notebook: str
    key: str
    seed: int
    sandbox: str
    submitted_at: str
    ending: str
    warnings: list[str]
    seconds: float
    tasks: list[TaskResult]

    @property
    def points(self) -> float:
        """Sum over the tasks."""
        return sum(task.points for task in self.tasks)

    @property
    def max_points(self) -> float:
        """What all tasks together are worth."""
        return sum(task.max_points for task in self.tasks)

    def to_json(self) -> str:
        """The file's text."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "SubmissionResult":
        """The reverse of `to_json`."""
        data = json.loads(text)
        data["tasks"] = [
            TaskResult(**{**task, "cells": [CellResult(**cell) for cell in task["cells"]]}) for task in data["tasks"]
        ]
        return cls(**data)


def write_whole(path: Path, text: str) -> None:
    """Write a file, and the folders above it, so that it appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, text.encode())
