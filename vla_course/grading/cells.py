"""The parts of a solution notebook, and what they are called.

The id of a cell says what it is. A task named `action-loss` has

    action-loss            markdown   the prompt; its first line is a heading, the task's title
    action-loss-answer     code       what the student writes, between BEGIN SOLUTION and END SOLUTION
    action-loss-check      code       prints values on literal inputs; seen by the student; carries the points
    action-loss-probe      code       the same on inputs drawn from GRADING_SEED; solutions/ only
    action-loss-probe-2    code       and so on

Every other code cell is *given*: it runs for everybody, and what it prints is not compared.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from vla_course.errors import CourseError
from vla_course.grading.measure import Measure

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
SEED_LINE = "GRADING_SEED = 0  # the grader draws another one"
PART = re.compile(r"(?P<task>[a-z0-9]+(?:-[a-z0-9]+)*?)-(?P<role>answer|check|probe)(?:-(?P<number>[0-9]+))?")
FORBIDDEN_IN_PROBES = {"allclose", "isclose", "array_equal", "equal"}


@dataclass(frozen=True)
class Task:
    """One task of an exercise.

    Attributes:
        name: as in the cell ids, such as "action-loss".
        title: first heading of the prompt.
        points: what it is worth.
        answer, check: the cells.
        probes: the hidden cells.
        may_not_use: objects of the library that the answer stands for, as "module:object" or "module:Class.method".
        measure: how the grader measures what the check hands over, or None.
    """

    name: str
    title: str
    points: float
    answer: NotebookNode
    check: NotebookNode
    probes: tuple[NotebookNode, ...]
    may_not_use: tuple[str, ...]
    measure: Measure | None


@dataclass(frozen=True)
class Limits:
    """What a kernel may use; a notebook's metadata `vla_course.limits` changes single ones.

    Attributes:
        cell_seconds, notebook_seconds: deadlines, wall clock.
        memory_mb: memory that each process may allocate; all together may hold one and a half times as much.
        output_kb: text that all cells together may print.
        files_mb: what may be written.
        processes: processes and threads.
    """

    cell_seconds: float = 120
    notebook_seconds: float = 600
    memory_mb: int = 2000
    output_kb: int = 1000
    files_mb: int = 64
    processes: int = 128


@dataclass(frozen=True)
class Solution:
    """A solution notebook, read and found sound."""

    path: Path
    notebook: NotebookNode
    tasks: tuple[Task, ...]
    limits: Limits

    @property
    def name(self) -> str:
        """Such as "week08_behavior_cloning"."""
        return self.path.stem


def part(cell_id: str) -> tuple[str, str] | None:
    """Task and role ("answer", "check", "probe") that a cell's id states; None for every other cell."""
    match = PART.fullmatch(cell_id)
    return (match["task"], match["role"]) if match else None


def stub(source: str, task: str) -> str:
    """An answer with each solution region replaced by one line that raises, indented as the region was."""
    lines, inside = [], False
    for line in source.splitlines():
        if line.strip() == BEGIN:
            inside = True
            lines.append(f'{line[: line.index("#")]}raise NotImplementedError("{task}: write your answer here")')
        elif line.strip() == END:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines)


def code_cells(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """The code cells, in order."""
    return (cell for cell in notebook.cells if cell.cell_type == "code")


def read_solution(path: Path) -> Solution:
    """A solution notebook, checked.

    Raises:
        CourseError: naming the first cell that breaks a rule of this module.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        raise CourseError(
            f"{path}: not a notebook ({str(error).splitlines()[0]}); save it anew in JupyterLab"
        ) from None

    def broken(cell: NotebookNode, what: str) -> CourseError:
        return CourseError(f"{path.name}: cell {cell.id!r}: {what}; CONTRIBUTING.md tells how a task is written")

    cells = {cell.id: cell for cell in notebook.cells}
    found: dict[str, dict[str, list[NotebookNode]]] = {}
    for cell in code_cells(notebook):
        if named := part(cell.id):
            task, role = named
            found.setdefault(task, {"answer": [], "check": [], "probe": []})[role].append(cell)
    tasks = []
    for name, roles in found.items():
        cell = (roles["answer"] + roles["check"] + roles["probe"])[0]
        if len(roles["answer"]) != 1 or len(roles["check"]) != 1 or name not in cells:
            raise broken(cell, f"task {name!r} needs a prompt {name!r}, one {name}-answer and one {name}-check")
        answer, check, prompt = roles["answer"][0], roles["check"][0], cells[name]
        marks = [line.strip() for line in answer.source.splitlines() if line.strip() in (BEGIN, END)]
        if not marks or marks != [BEGIN, END] * (len(marks) // 2):
            raise broken(answer, f"the answer stands between the lines {BEGIN!r} and {END!r}")
        stated = check.metadata.get("vla_course", {}).get("measure")
        try:
            measure = Measure.from_metadata(stated) if stated else None
        except CourseError as error:
            raise broken(check, str(error)) from None
        if not roles["probe"] and not measure:
            raise broken(check, "a task needs a probe or a measure, or a student could print the expected text")
        for probe in roles["probe"]:
            try:
                tree = ast.parse(probe.source)
            except SyntaxError as error:
                raise broken(probe, f"does not parse: {error.msg}, line {error.lineno}") from None
            names = {getattr(n, "id", getattr(n, "attr", "")) for n in ast.walk(tree)}
            asserts = any(isinstance(n, ast.Assert) for n in ast.walk(tree))
            if not probe.source.startswith(SEED_LINE + "\n"):
                raise broken(probe, f"a probe starts with the line {SEED_LINE!r}")
            if asserts or names & FORBIDDEN_IN_PROBES or "print" not in names:
                raise broken(probe, "a probe prints values and judges nothing: what it judged, a student could forge")
        points = check.metadata.get("nbgrader", {}).get("points")
        if not isinstance(points, int | float) or points <= 0:
            raise broken(check, "its nbgrader metadata needs points above 0")
        headings = [line for line in prompt.source.splitlines() if line.startswith("#")]
        if not headings:
            raise broken(prompt, "the prompt needs a heading, the task's title")
        tasks.append(
            Task(
                name,
                headings[0].lstrip("# ").strip(),
                points,
                answer,
                check,
                tuple(roles["probe"]),
                tuple(answer.metadata.get("vla_course", {}).get("may_not_use", ())),
                measure,
            )
        )
    if not tasks:
        raise CourseError(f"{path.name}: holds no task; CONTRIBUTING.md tells how a task is written")
    limits = notebook.metadata.get("vla_course", {}).get("limits", {})
    if unknown := set(limits) - set(Limits.__annotations__):
        raise CourseError(f"{path.name}: limits has {unknown.pop()!r}; it knows {', '.join(Limits.__annotations__)}")
    return Solution(path, notebook, tuple(tasks), Limits(**limits))
