"""Every lesson runs from top to bottom, and its claims hold."""

import base64
import io
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

from vla_course.notebooks import lessons, smaller

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
    pictures = [o.data["image/png"] for c in code for o in c.outputs if "image/png" in o.get("data", {})]
    assert all(Image.open(io.BytesIO(base64.b64decode(picture))).mode == "P" for picture in pictures)


def test_a_stored_picture_keeps_its_colors():
    """A few bright pixels on a wide gradient are what a palette loses first."""
    picture = np.repeat(np.linspace(90, 160, 64, dtype=np.uint8), 3 * 64).reshape(64, 64, 3)
    for spot, color in enumerate(((255, 0, 0), (0, 160, 0), (0, 0, 255), (240, 220, 0))):
        picture[8 * spot : 8 * spot + 3, 10:13] = color
    stored = io.BytesIO()
    Image.fromarray(picture).save(stored, "png")
    kept = Image.open(io.BytesIO(base64.b64decode(smaller(base64.b64encode(stored.getvalue()).decode()))))
    assert np.abs(np.asarray(kept.convert("RGB")).astype(int) - picture).max() <= 16
