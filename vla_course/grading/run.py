"""nbval on an assembled notebook: it starts the kernel, which here is a boxed one, runs the cells, and compares."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError

from vla_course.errors import CourseError
from vla_course.grading.compare import for_nbval, printed
from vla_course.grading.kernel import DIED, NO_MESSAGE, BoxedKernel, Ended, read_inside
from vla_course.grading.sandbox import Box
from vla_course.grading.traces import plain_traceback


@dataclass
class Ran:
    """What running one cell brought forth.

    Attributes:
        printed: its standard output.
        error: "" or "Name: message", the last line of a traceback.
        traceback: all of it, without colors.
        passed: nbval found no difference. Only a cell that was compared can pass.
    """

    printed: str = ""
    error: str = ""
    traceback: str = ""
    passed: bool = False


@dataclass
class Run:
    """A notebook for nbval to run, and what came of it.

    Attributes:
        box: for the kernel.
        compared: id of a cell to what it must print; the others run and are not compared.
        taken: id of a cell to the files to take over after it ran, relative to the working folder.
        cells: filled in by the run: id to what happened.
        files: filled in by the run: name to bytes.
        ending: filled in by the run: why the kernel was ended early, or "".
    """

    box: Box
    compared: dict[str, str]
    taken: dict[str, list[str]] = field(default_factory=dict)
    cells: dict[str, Ran] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    ending: str = ""


class BoxedCell(IPyNbCell):
    """nbval's test of one cell. Its marks come from the grader and never from the cell."""

    def setup(self) -> None:
        """nbval would expect every cell after a timeout to fail; here each is run and judged."""
        self.output_timeout = 20  # nbval ends the kernel after 5 s of silence, which a busy machine may need

    def runtest(self) -> None:
        """Run the cell, compare, and note what happened."""
        run, ran, kernel = self.parent.run, Ran(), self.parent.kernel
        run.cells[self.cell.id] = ran
        self.parent.timed_out = False
        too_long = f"it ran longer than {run.box.limits.cell_seconds:g} s"
        try:
            super().runtest()
            ran.passed = self.options["check"]
        except NbCellError as error:
            if self.parent.timed_out:
                ran.error = too_long
                kernel.ending = kernel.ending or ("" if kernel.is_alive() else too_long)
            elif not getattr(self, "comparison_traceback", None):
                ran.error = str(error)
            raise
        except (RuntimeError, KeyError, TypeError):  # nbval saw that it had ended, or could not read a message
            if not kernel.ending:
                kernel.end(NO_MESSAGE if kernel.is_alive() else DIED)
            raise Ended(kernel.ending) from None
        finally:
            ran.printed = printed(self.test_outputs)
            for output in self.test_outputs or []:
                if output.output_type == "error" and not self.parent.timed_out:
                    ran.error = f"{output['ename']}: {output['evalue']}"[:500]
                    ran.traceback = plain_traceback(output["traceback"])
            run.ending = run.ending or kernel.ending
            for name in run.taken.get(self.cell.id, []):
                if data := read_inside(kernel, name):
                    run.files[name] = data

    def compare_outputs(self, test: list, ref: list, skip_compare: tuple | None = None) -> bool:
        """nbval's comparison, of standard output only, with numbers that are near enough taken as equal."""
        return super().compare_outputs(for_nbval(test, printed(ref)), ref, skip_compare)


class BoxedNotebook(IPyNbFile):
    """nbval's notebook, with the kernel in a box."""

    def setup(self) -> None:
        """Wait for the kernel."""
        self.kernel.connect()
        self.setup_sanitize_files()

    def collect(self):
        """A test for each code cell."""
        cells = list(super().collect())
        for number, item in enumerate(cells):
            options = {"check": item.cell.id in self.run.compared, "skip": False, "check_exception": False}
            yield BoxedCell.from_parent(self, name=item.cell.id, cell_num=number, cell=item.cell, options=options)

    def teardown(self) -> None:
        """`execute` ends the kernel."""


class _Plugin:
    def __init__(self, run: Run, kernel: BoxedKernel):
        self.run, self.kernel = run, kernel

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> BoxedNotebook:
        notebook = BoxedNotebook.from_parent(parent, path=file_path)
        notebook.run, notebook.kernel = self.run, self.kernel
        return notebook


def execute(notebook: Path, run: Run) -> None:
    """Let nbval run a notebook whose compared cells hold what they must print.

    Raises:
        CourseError: no cell ran, since the kernel did not start; that is no fault of the notebook.
    """
    options = ["-q", "-p", "nbval.plugin", "-p", "no:cacheprovider", "-c", os.devnull]
    options += [f"--rootdir={notebook.parent}", f"--confcutdir={notebook.parent}"]  # else it lists all of /tmp
    options += [f"--nbval-cell-timeout={run.box.limits.cell_seconds}", str(notebook)]
    kernel = BoxedKernel(run.box)  # it starts while nbval reads the notebook
    try:
        pytest.main(options, plugins=[_Plugin(run, kernel)])
    finally:
        kernel.stop()
    if not run.cells:
        raise CourseError(kernel.ending or "nbval found no cell to run")
