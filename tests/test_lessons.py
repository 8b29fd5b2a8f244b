"""Every lesson runs from top to bottom, and its claims hold."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from vla_course.notebooks import lessons

ROOT = Path(__file__).parent.parent
LESSONS = lessons(ROOT)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_the_lesson_runs_and_its_checked_outputs_hold(lesson):
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-cell-timeout=1800", "-q", lesson]
    result = subprocess.run([*command, "-p", "no:cacheprovider"], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-6000:]


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
