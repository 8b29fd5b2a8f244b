"""Every lesson runs from top to bottom, and its claims hold; every solution prints what is stored."""

import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nbclient import NotebookClient

from vla_course.evaluation.statistics import SuccessRate
from vla_course.models.policy import grounding_loss
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


def definitions(week: str) -> dict:
    """What the cells of a lesson define that are marked "from-scratch"."""
    names: dict = {"torch": torch, "np": np, "math": math}
    notebook = nbformat.read(ROOT / "notebooks" / f"{week}.ipynb", as_version=4)
    for cell in notebook.cells:
        if "from-scratch" in cell.metadata.get("tags", []):
            exec(cell.source, names)
    return names


definitions_of_week_8 = definitions("week08_behavior_cloning")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_the_losses_built_in_week_8_are_the_librarys(seed, batch):
    built, rng = definitions_of_week_8, torch.Generator().manual_seed(seed)
    logits, pixel = torch.randn(batch, 16, 16, generator=rng), torch.rand(batch, 2, generator=rng)
    expected = grounding_loss(logits, pixel)
    assert torch.allclose(built["grounding_loss_from_scratch"](logits, pixel), expected, atol=1e-4)
    actions, wanted = torch.randn(2, batch, 5, 7, generator=rng)
    is_pad = torch.zeros(batch, 5, dtype=torch.bool)
    is_pad[:, 3:] = True
    assert torch.allclose(built["action_loss"](actions, wanted, is_pad), (actions - wanted)[:, :3].abs().mean())


@settings(deadline=None)  # the first call imports scipy
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_built_in_week_8_is_the_librarys(counts):
    assert definitions_of_week_8["wilson"](*counts) == pytest.approx(SuccessRate(*counts).wilson_95, abs=1e-6)
