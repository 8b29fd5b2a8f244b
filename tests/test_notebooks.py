"""Every lesson runs from top to bottom, and its claims hold; every solution prints what is stored."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from vla_course.notebooks import lessons, solutions

ROOT = Path(__file__).parent.parent
LESSONS = lessons(ROOT)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_the_lesson_runs_and_its_checked_outputs_hold(lesson):
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-cell-timeout=1800", "-q", lesson]
    environment = {**os.environ, "VLA_COURSE_SCALE": "ci", "OMP_NUM_THREADS": "1"}  # two tests share two cores
    result = subprocess.run([*command, "-p", "no:cacheprovider"], capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stdout[-6000:]


@pytest.mark.parametrize("solution", solutions(ROOT), ids=lambda path: path.stem)
def test_the_solution_runs_under_strict_nbval(solution, tmp_path):
    copy = shutil.copy(solution, tmp_path)  # its cells write into the working folder
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-cell-timeout=1800", "-q", copy]
    environment = {**os.environ, "VLA_COURSE_SCALE": "ci", "OMP_NUM_THREADS": "1"}
    result = subprocess.run([*command, "-p", "no:cacheprovider"], capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stdout[-6000:]


@pytest.mark.parametrize("exercise", sorted((ROOT / "exercises").glob("*.ipynb")), ids=lambda path: path.stem)
def test_an_unwritten_exercise_fails_in_its_checks_with_not_implemented_and_nowhere_else(exercise, tmp_path):
    notebook = nbformat.read(exercise, as_version=4)
    client = NotebookClient(notebook, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env={**os.environ, "VLA_COURSE_SCALE": "ci", "OMP_NUM_THREADS": "1"})
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    raised = {cell.id: output.ename for cell in code for output in cell.outputs if output.output_type == "error"}
    assert raised == {cell.id: "NotImplementedError" for cell in code if cell.id.endswith("-check")}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_the_lesson_is_made_as_the_template_says(lesson):
    assert lesson.stat().st_size <= 500_000
    notebook = nbformat.read(lesson, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    lengths = sorted(len([line for line in cell.source.splitlines() if line.strip()]) for cell in code)
    assert lengths[-1] <= 25 and lengths[len(lengths) // 2] <= 8
    assert any("NBVAL_CHECK_OUTPUT" in cell.source for cell in code)
    text = nbformat.writes(notebook)
    assert str(ROOT) not in text and "Traceback" not in text
