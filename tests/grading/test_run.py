"""Whenever a kernel ends, and whatever it answers, the run says why."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from vla_course.errors import CourseError
from vla_course.grading import kernel as kernels
from vla_course.grading import run as runs
from vla_course.grading.assemble import judge
from vla_course.grading.cells import Limits, read_solution
from vla_course.grading.kernel import DIED, NO_MESSAGE, BoxedKernel
from vla_course.grading.run import Ran, Run, execute
from vla_course.grading.sandbox import Box

WEEK99 = Path(__file__).parent / "course" / "solutions" / "week99_vectors.ipynb"


class PlayedKernel(BoxedKernel):
    """Runs no process. What it answers to a cell is what the cell's source says."""

    def __init__(self, box: Box):
        self.alive, self.ending = True, ""

    def connect(self) -> None:
        pass

    def is_alive(self) -> bool:
        return self.alive

    def stop(self) -> None:
        self.alive = False

    def execute_cell_input(self, source: str, allow_stdin: bool | None = None) -> str:
        self.said = {"status": "aborted"} if source == "abort" else {} if source == "nonsense" else {"status": "ok"}
        self.outputs = [("stream", {"name": "stdout", "text": "1\n"}), ("status", {"execution_state": "idle"})]
        self.dies = source == "die"
        return "cell"

    def get_message(self, stream: str, timeout: float | None = None) -> dict:
        kind, content = ("execute_reply", self.said) if stream == "shell" else self.outputs.pop(0)
        self.alive = not (self.dies and kind == "status")  # after its last message: nbval is done with the cell
        return {"msg_type": kind, "parent_header": {"msg_id": "cell"}, "content": content}


def ran(folder: Path, *sources: str) -> Run:
    """Cells named 0, 1, ..., each compared with "1"."""
    cells = [new_code_cell(source, id=str(i), execution_count=1) for i, source in enumerate(sources)]
    for cell in cells:
        cell.outputs = [new_output("stream", text="1\n")]
    nbformat.write(new_notebook(cells=cells), folder / "played.ipynb")
    run = Run(Box("none", folder, folder, {}, Limits()), {cell.id: "1\n" for cell in cells})
    execute(folder / "played.ipynb", run)
    return run


@pytest.fixture(autouse=True)
def as_in_the_grader(monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)


@pytest.mark.parametrize(
    ("second", "passed", "ending"),
    [
        ("print(1)", [True, True, True], ""),
        ("die", [True, True, False], DIED),
        ("abort", [True, False, False], NO_MESSAGE),
        ("nonsense", [True, False, False], NO_MESSAGE),
    ],
)
def test_a_kernel_that_ends_between_two_cells_or_talks_nonsense(second, passed, ending, tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "BoxedKernel", PlayedKernel)
    run = ran(tmp_path, "print(1)", second, "print(1)")
    assert [cell.passed for cell in run.cells.values()] == passed and run.ending == ending


def test_a_kernel_that_does_not_start_is_no_fault_of_the_student(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "PROGRAM", "raise SystemExit(7)")
    with pytest.raises(CourseError, match="did not start .*ended with status 7"):
        ran(tmp_path, "print(1)")


def test_a_check_that_did_not_print_all_its_lines_is_told_so(tmp_path):
    task = read_solution(WEEK99).tasks[0]
    expected = {cell.id: "a\nb\n" for cell in (task.check, *task.probes)}
    run = Run(Box("none", tmp_path, tmp_path, {}, Limits()), expected, cells={task.check.id: Ran(printed="a\n")})
    assert judge(task, "pass", run, expected).reason == "lines of it are missing"
    run.ending = DIED
    assert judge(task, "pass", run, expected).reason == f"the run was ended: {DIED}"
