"""A student's own check: a table that says what passes and what does not, whatever the student's cells do."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from vla_course.errors import CourseError
from vla_course.grading.check import check
from vla_course.grading.release import release

ROOT = Path(__file__).parents[2]
SOLUTION = Path(__file__).parent / "course" / "solutions" / "week99_vectors.ipynb"


@pytest.fixture
def exercise(tmp_path) -> Path:
    shutil.copytree(SOLUTION.parent, tmp_path / "solutions")
    return release(tmp_path)[0]


def right_answers() -> dict[str, str]:
    cells = nbformat.read(SOLUTION, as_version=4).cells
    return {cell.id: cell.source for cell in cells if cell.id.endswith("-answer")}


def fill(exercise: Path, answers: dict[str, str], cell_seconds: float = 60) -> None:
    """Write answers, and outputs as if the student had run the notebook with something else before."""
    notebook = nbformat.read(exercise, as_version=4)
    notebook.metadata["vla_course"]["limits"]["cell_seconds"] = cell_seconds
    for cell in notebook.cells:
        if cell.id in answers:
            cell.source = answers[cell.id]
        if cell.id.endswith("-check"):
            cell.outputs = [nbformat.v4.new_output("stream", text="what an earlier answer printed\n")]
            cell.execution_count = 7
    nbformat.write(notebook, exercise)


def row(table: str, task: int) -> str:
    return next(line for line in table.splitlines() if line.startswith(f"Task {task}"))


def test_a_fresh_exercise_is_not_written_yet(exercise, capfd):
    assert check(exercise) == 4
    table = capfd.readouterr().out
    assert table.startswith("task ") and table.count("not written yet") == 4
    assert "0 of 2" in row(table, 1) and "0 of 4" in row(table, 4)
    assert "total" in table and "0 of 6  and up to 4 more" in table


def test_right_answers_pass_on_another_machine_and_whatever_was_stored(exercise, capfd):
    answers = right_answers()
    answers["mean-speed-answer"] = answers["mean-speed-answer"].replace("/ dt)", "/ dt) * (1 + 1e-7)")
    answers["clip-step-answer"] = "# NBVAL_SKIP\nimport warnings\n" + answers["clip-step-answer"].replace(
        "step =", 'warnings.warn("deprecated")\n    step ='
    )
    fill(exercise, answers)
    assert check(exercise) == 0
    captured = capfd.readouterr()
    assert captured.err == "" and captured.out.count("\n") == 7
    assert "2 of 2  passed" in row(captured.out, 1) and "2 of 2  passed" in row(captured.out, 2)
    assert "? of 4  runs; measured when it is graded" in row(captured.out, 4)
    assert "6 of 6  and up to 4 more" in captured.out


def test_every_failure_has_its_own_words(exercise, capfd, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")  # nothing is wrapped
    fill(
        exercise,
        {
            "mean-speed-answer": "def mean_speed(positions, dt):\n    return float(positions[-1, 0])",
            "clip-step-answer": "def clip_step(position, target, limit):\n    step = None\n    np.linalg.norm('far')",
            "interval-answer": "def wilson(successes, trials):\n    retrun 1, 2",
            "plan-answer": "import os\n\ndef plan(target):\n    os.write(1, b'unseen')\n    return clip_stop(target)",
        },
    )
    assert check(exercise) == 4
    table = capfd.readouterr().out
    assert "0 of 2  something else came out" in row(table, 1)
    wanted, got = "there and back, in m/s: 5.0000, as expected", "there and back, in m/s: 0.0000, expected 5.0000:"
    assert any(wanted in line and got in line for line in table.splitlines())
    assert "at rest" not in table  # that line was right
    assert "Error: " in row(table, 2) and "(line 3 of your answer)" in row(table, 2)
    assert "SyntaxError: invalid syntax (line 2 of your answer)" in row(table, 3)
    assert "NameError: name 'clip_stop' is not defined (line 5 of your answer)" in row(table, 4)
    assert "unseen" not in table and "\x1b" not in table


def test_what_stands_in_the_way_is_named(exercise, capfd):
    answers = right_answers()
    del answers["mean-speed-answer"]
    answers["clip-step-answer"] = "def clip_step(position, target, limit):\n    return mean_speed(position, 1)"
    answers["interval-answer"] = 'print("\\x1b[2J")\n' + answers["interval-answer"].replace("middle -", '"\\x1b[2J",')
    notebook = nbformat.read(exercise, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.id != "plan-answer"]
    next(cell for cell in notebook.cells if cell.id == "scenes").source = "import no_such_module"
    nbformat.write(notebook, exercise)
    fill(exercise, answers)
    assert check(exercise) == 4
    table = capfd.readouterr().out
    assert "not written yet" in row(table, 1)
    assert "needs mean-speed, which is not written yet" in row(table, 2)
    assert "0 of 2" in row(table, 3) and "\x1b" not in table
    assert "its answer cell plan-answer is missing" in row(table, 4)
    assert "The cell 'scenes' failed: ModuleNotFoundError: No module named 'no_such_module'" in table


def test_a_kernel_that_dies_or_never_ends_ends_the_check(exercise, capfd):
    answers = right_answers()
    answers["mean-speed-answer"] = "def mean_speed(positions, dt):\n    while True:\n        pass"
    answers["clip-step-answer"] = "import os\ndef clip_step(position, target, limit):\n    os._exit(0)"
    fill(exercise, answers, cell_seconds=0.5)
    assert check(exercise) == 4
    table = capfd.readouterr().out
    assert "ran too long and was stopped" in row(table, 1)
    assert "the kernel died in this cell" in row(table, 2)
    assert "did not run: the kernel ended in an earlier cell" in row(table, 3)


def test_plain_pytest_judges_alike(exercise, tmp_path):
    shutil.copy(ROOT / "exercises" / "conftest.py", exercise.parent)
    answers = right_answers()
    answers["clip-step-answer"] = answers["clip-step-answer"].replace("min(", "max(")
    fill(exercise, answers)
    lesson = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(1)", execution_count=1)])
    lesson.cells[0].outputs = [nbformat.v4.new_output("stream", text="2\n")]
    nbformat.write(lesson, exercise.with_name("no_exercise.ipynb"))
    command = [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", exercise.parent]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    failed = sorted(line.split(" - ")[0] for line in done.stdout.splitlines() if line.startswith("FAILED"))
    assert failed == ["FAILED exercises/no_exercise.ipynb::Cell 0", "FAILED exercises/week99_vectors.ipynb::Cell 5"]
    assert done.returncode == 1 and "11 passed" not in done.stdout and "10 passed" in done.stdout


@pytest.mark.parametrize("content", ["", "{}", "not json", '{"cells": 3}', "[]"])
def test_what_is_no_notebook_is_refused(content, tmp_path):
    path = tmp_path / "week99_vectors.ipynb"
    path.write_text(content)
    with pytest.raises(CourseError, match="not a notebook|holds no tasks"):
        check(path)


def test_a_lesson_is_refused():
    with pytest.raises(CourseError, match="name a notebook of the folder exercises"):
        check(ROOT / "notebooks" / "week00_first_policy.ipynb")
