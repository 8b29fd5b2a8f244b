"""Every solution prints what is stored; every exercise, not yet written, fails in its checks and nowhere else."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from vla_course.notebooks import solutions

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("solution", solutions(ROOT), ids=lambda path: path.stem)
def test_the_solution_runs_under_strict_nbval(solution, tmp_path):
    copy = shutil.copy(solution, tmp_path)  # its cells write into the working folder
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-cell-timeout=1800", "-q", copy]
    result = subprocess.run([*command, "-p", "no:cacheprovider"], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-6000:]


@pytest.mark.parametrize("exercise", sorted((ROOT / "exercises").glob("*.ipynb")), ids=lambda path: path.stem)
def test_an_unwritten_exercise_fails_in_its_checks_with_not_implemented_and_nowhere_else(exercise, tmp_path):
    notebook = nbformat.read(exercise, as_version=4)
    client = NotebookClient(notebook, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    raised = {cell.id: output.ename for cell in code for output in cell.outputs if output.output_type == "error"}
    assert raised == {cell.id: "NotImplementedError" for cell in code if cell.id.endswith("-check")}
