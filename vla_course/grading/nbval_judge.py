"""How nbval judges an exercise on a student's own machine.

A pytest plugin: `grading.check` runs nbval with it, and exercises/conftest.py hands it to plain `pytest --nbval`.
"""

import time
from functools import partial
from queue import Empty

import pytest
from nbformat.v4 import new_output
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell

from vla_course.errors import CourseError
from vla_course.grading.compare import for_nbval


class Judge:
    """Compares what check cells print with what the solution printed; runs every other cell and compares nothing.

    The expected text is the one in the cell's metadata, since a student's own run overwrites the stored output. Only
    text counts that went to stdout: warnings and pictures differ from machine to machine. Notebooks that are no
    exercises are left alone.

    Attributes:
        cells: the cells of exercises, in order.
        errors: why a cell failed.
    """

    def __init__(self):
        self.cells: list[IPyNbCell] = []
        self.errors: dict[IPyNbCell, BaseException] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Take the cells of exercises in hand."""
        self.cells = [item for item in items if isinstance(item, IPyNbCell) and _is_exercise(item)]
        for cell in self.cells:
            expected = expected_text(cell)
            cell.options.clear()  # marks such as NBVAL_SKIP
            cell.options["check"] = expected is not None
            cell.cell.outputs = [] if expected is None else [new_output("stream", name="stdout", text=expected)]
            cell.cell.execution_count = 1
            cell.compare_outputs = partial(_compare, cell)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Notice when the kernel dies."""
        if item in self.cells:
            kernel = item.parent.kernel
            if not kernel.is_alive():
                raise CourseError("did not run: the kernel ended in an earlier cell")
            kernel.await_reply = partial(_await_reply, kernel)

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo) -> None:
        """Remember what went wrong."""
        if item in self.cells and call.excinfo is not None:
            self.errors.setdefault(item, call.excinfo.value)


def expected_text(cell: IPyNbCell) -> str | None:
    """What a check cell shall print; None for every other cell."""
    return cell.cell.metadata.get("vla_course", {}).get("expected")


def _is_exercise(item: IPyNbCell) -> bool:
    return any("expected" in cell.metadata.get("vla_course", {}) for cell in item.parent.nb.cells)


def _compare(cell: IPyNbCell, test: list, ref: list) -> bool:
    return IPyNbCell.compare_outputs(cell, for_nbval(test, expected_text(cell) or ""), ref)


def _await_reply(kernel: RunningKernel, msg_id: str, timeout: float) -> None:
    """In place of nbval's own, which waits for a dead kernel until the time is up."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            return RunningKernel.await_reply(kernel, msg_id, timeout=1)
        except Empty:
            if not kernel.is_alive():
                raise CourseError("the kernel died in this cell; does it use more memory than there is?") from None
            if time.monotonic() > deadline:
                raise
