"""A student's own check of an exercise: what passes, and where something else came out than was expected."""

import contextlib
import io
import re
import shutil
import textwrap
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import nbformat
import pytest
from nbval.plugin import IPyNbCell

from vla_course.errors import CourseError
from vla_course.grading.cells import Limits, part
from vla_course.grading.compare import printed, prints_more, snap
from vla_course.grading.nbval_judge import Judge, expected_text
from vla_course.grading.traces import line_in, plain_traceback

NOT_WRITTEN = re.compile(r"(.+): write your answer here")  # what `cells.stub` raises
TEMPORARY_FILE = re.compile(r" \([0-9]+\.py, line [0-9]+\)")  # where ipykernel keeps the source of a cell
SHOWN_LINES = 8


@dataclass
class Row:
    """One task in the table.

    Attributes:
        title: of the task.
        points: what it is worth.
        passed: whether its check passed.
        measured: whether the grader measures it, so that a check alone earns nothing.
        result: in a few words.
        differing: pairs of lines, expected and got.
    """

    title: str
    points: float
    passed: bool
    measured: bool
    result: str
    differing: list[tuple[str, str]] = field(default_factory=list)


def check(path: Path) -> int:
    """Run an exercise from top to bottom, and print a table of its tasks.

    It runs at scale "ci", as grading does, with this machine's Python and no sandbox. A cell may take twice as long as
    in grading.

    Args:
        path: the exercise.

    Returns:
        How many tasks failed.

    Raises:
        CourseError: it is no exercise.
    """
    if not path.is_file():
        raise CourseError(f"{path}: no such file; name a notebook of the folder exercises")
    try:
        notebook = nbformat.read(path, as_version=4)
    except (nbformat.ValidationError, ValueError, TypeError, KeyError, AttributeError):
        raise CourseError(f"{path}: not a notebook; save it anew in JupyterLab") from None
    if not any("expected" in cell.metadata.get("vla_course", {}) for cell in notebook.cells):
        raise CourseError(f"{path}: holds no tasks to check; name a notebook of the folder exercises")
    seconds = 2 * notebook.metadata.get("vla_course", {}).get("limits", {}).get("cell_seconds", Limits.cell_seconds)
    judge, said = Judge(), io.StringIO()
    options = ["--nbval", "--nbval-current-env", f"--nbval-cell-timeout={seconds}", "--noconftest"]
    options += ["-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts="]
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        patch.setenv("VLA_COURSE_SCALE", "ci")
        patch.setenv("OMP_NUM_THREADS", "1")  # as in grading; more threads on few cores only wait for each other
        patch.delenv("PYTEST_ADDOPTS", raising=False)
        status = pytest.main([*options, str(path)], plugins=[judge])
    if status == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        last = (said.getvalue().strip().splitlines() or ["no reason given"])[-1]
        raise CourseError(f'{path}: cannot be checked ({last}); run "pytest --nbval {path}" to see more')
    rows = _rows(judge, notebook)
    _print(rows)
    for cell, error in judge.errors.items():
        if part(_name(cell.cell)) is None:
            print(_plain(f"The cell {_name(cell.cell)!r} failed: {_what_happened(cell, error, '', '')}"))
    return sum(not row.passed for row in rows)


def _rows(judge: Judge, notebook: nbformat.NotebookNode) -> list[Row]:
    """One for each check cell. A task's title is the last heading above its answer."""
    titles, heading = {}, ""
    for cell in notebook.cells:
        first = cell.source.strip().split("\n")[0]
        if cell.cell_type == "markdown" and first.startswith("#"):
            heading = first.lstrip("# ").strip()
        titles[_name(cell)] = heading
    answers = {_name(cell.cell): cell for cell in judge.cells}
    rows = []
    for cell in judge.cells:
        name = _name(cell.cell)
        if expected_text(cell) is None or part(name) is None:
            continue
        task = part(name)[0]
        answer = answers.get(f"{task}-answer")
        metadata = cell.cell.metadata
        row = Row(titles[name] or task, metadata["nbgrader"]["points"], False, "measure" in metadata["vla_course"], "")
        broken = next((c for c in (answer, cell) if c in judge.errors), None)
        if answer is None:
            row.result = f"its answer cell {task}-answer is missing"
        elif broken is None:
            row.passed, row.result = True, "runs; measured when it is graded" if row.measured else "passed"
        else:
            row.result = _what_happened(broken, judge.errors[broken], task, answer.cell.source)
            if row.result == "" and prints_more(printed(cell.test_outputs), expected_text(cell)):
                row.result = "your function prints something itself; take that out, so that only the check prints"
            elif row.result == "":
                row.result, row.differing = "something else came out", _differing(cell)
        rows.append(row)
    for name in answers:
        if name.endswith("-answer") and name.removesuffix("answer") + "check" not in answers:
            missing = "its check cell is missing; copy it from a fresh exercise; grading still counts the task"
            rows.append(Row(titles[name] or name, 0, False, False, missing))
    return rows


def _name(cell: nbformat.NotebookNode) -> str:
    """What the cell is called; nbgrader's name survives editors that know nothing of cell ids."""
    return cell.metadata.get("nbgrader", {}).get("grade_id") or cell.get("id", "")


def _what_happened(cell: IPyNbCell, error: BaseException, task: str, answer: str) -> str:
    """Why a cell failed, in a few words; "" where its text differs."""
    raised = next((output for output in cell.test_outputs or [] if output.output_type == "error"), None)
    if raised is None or raised.ename == "KeyboardInterrupt":
        reason = str(error).split("\n")[0]
        if reason.startswith("Timeout"):
            return "it ran too long and was stopped; does a loop never end?"
        return "" if reason == "Cell outputs differ" else reason
    if raised.ename == "NotImplementedError" and (missing := NOT_WRITTEN.fullmatch(raised.evalue)):
        return "not written yet" if missing[1] == task else f"needs {missing[1]}, which is not written yet"
    line = line_in(answer, plain_traceback(raised.traceback))
    where = f" (line {line} of your answer)" if line else ""
    return TEMPORARY_FILE.sub("", f"{raised.ename}: {raised.evalue.strip().partition(chr(10))[0][:300]}") + where


def _differing(cell: IPyNbCell) -> list[tuple[str, str]]:
    expected, got = expected_text(cell), printed(cell.test_outputs)
    triples = zip_longest(*(text.splitlines() for text in (expected, snap(got, expected), got)), fillvalue="")
    return [(wanted, printed) for wanted, snapped, printed in triples if wanted != snapped]


def _print(rows: list[Row]) -> None:
    width = max(80, min(shutil.get_terminal_size((120, 40)).columns, 160))
    first = max(len(row.title) for row in rows) + 2
    print(f"{'task':{first}}{'points':>8}  result")
    for row in rows:
        earned = "?" if row.passed and row.measured else f"{row.points if row.passed else 0:g}"
        print(f"{_plain(row.title):{first}}{f'{earned} of {row.points:g}':>8}  {_plain(row.result)}")
        if row.differing:
            half = (width - 7) // 2
            _print_pair("expected:", "got:", half)
            for expected, got in row.differing[:SHOWN_LINES]:
                _print_pair(expected, got, half)
            if len(row.differing) > SHOWN_LINES:
                print(f"    … and {len(row.differing) - SHOWN_LINES} more lines")
    sure = [row for row in rows if not row.measured]
    total = f"{sum(row.points for row in sure if row.passed):g} of {sum(row.points for row in sure):g}"
    later = sum(row.points for row in rows if row.measured)
    print(f"{'total':{first}}{total:>8}" + (f"  and up to {later:g} more, measured when it is graded" if later else ""))
    print("Grading also calls your functions with other inputs.")


def _print_pair(left: str, right: str, half: int) -> None:
    """Two texts side by side, each wrapped to its half of the line."""
    sides = [textwrap.wrap(_plain(text[:1000]), half) or [""] for text in (left, right)]
    for a, b in zip_longest(*sides, fillvalue=""):
        print(f"    {a:{half}} | {b}".rstrip())


def _plain(text: str) -> str:
    """Without characters that steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
