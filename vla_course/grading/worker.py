"""Grade one submission, in a process of its own.

The process holds what the student must not see, and talks to the student's kernel through sockets alone.
"""

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat

from vla_course.errors import CourseError
from vla_course.grading.assemble import assemble, judge, judge_measure
from vla_course.grading.cells import Solution, code_cells, read_solution
from vla_course.grading.results import SubmissionResult, write_whole
from vla_course.grading.run import Ran, Run, execute
from vla_course.grading.sandbox import Box


def run_notebook(solution: Solution, answers: dict[str, str], expected: dict[str, str], job: dict) -> Run:
    """Run the assembled notebook in a box.

    Args:
        solution: the exercise.
        answers: task to source.
        expected: id of a compared cell to what it must print; empty when the solution itself runs.
        job: names the seed, the kind of box, the library that the kernel imports, and the files that it finds.

    Raises:
        CourseError: the kernel did not start.
    """
    pinned = one_core() if job["sandbox"] == "bubblewrap" else contextlib.nullcontext()
    with tempfile.TemporaryDirectory(prefix="grading-") as name, pinned as core:
        folder = Path(name)
        taken = {task.check.id: task.measure.files for task in solution.tasks if task.measure}
        files = {name: Path(path) for name, path in job["files"].items()}
        run = Run(Box(job["sandbox"], folder, Path(job["library"]), files, solution.limits, core), expected, taken)
        path = folder / solution.path.name
        nbformat.write(assemble(solution, answers, job["seed"], expected), path)
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            execute(path, run)
    return run


@contextlib.contextmanager
def one_core() -> Iterator[int | None]:
    """A processor core that no other worker on this machine uses now, so that none slows another; None if all are."""
    import fcntl  # not on Windows, which has no bubblewrap either

    for core in sorted(os.sched_getaffinity(0)):
        with open(Path(tempfile.gettempdir()) / f"vla-course-{os.getuid()}-core-{core}", "a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield core
            return
    yield None


def run_solution(job: dict) -> None:
    """What the solution prints and hands over with this seed, into the job's folder.

    Raises:
        CourseError: a cell of it fails.
    """
    solution, folder = read_solution(Path(job["solution"])), Path(job["folder"])
    answers = {task.name: task.answer.source for task in solution.tasks}
    run = run_notebook(solution, answers, {}, job)
    for cell in code_cells(solution.notebook):
        if error := run.cells.get(cell.id, Ran(error="did not run")).error:
            raise CourseError(f"{solution.path.name}: cell {cell.id!r} of the solution: {error}; mend it")
    if run.ending:
        raise CourseError(f"{solution.path.name}: the run of the solution was ended: {run.ending}; mend it")
    for name, data in run.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    printed = {c.id: run.cells[c.id].printed for task in solution.tasks for c in (task.check, *task.probes)}
    write_whole(folder / "expected.json", json.dumps(printed, indent=1))


def grade_submission(job: dict) -> SubmissionResult:
    """Run one submission and judge it."""
    started = time.monotonic()
    solution, folder = read_solution(Path(job["solution"])), Path(job["folder"])
    expected = json.loads((folder / "expected.json").read_text())
    answers = job["answers"]
    run = run_notebook(solution, answers, expected, job)
    results = []
    for task in solution.tasks:
        result = judge(task, answers.get(task.name), run, expected)
        if task.measure:
            judge_measure(result, task.measure, run, job["seed"], folder)
        results.append(result)
    return SubmissionResult(
        student=job["student"],
        notebook=solution.name,
        key=job["key"],
        seed=job["seed"],
        sandbox=job["sandbox"],
        submitted_at=job["submitted_at"],
        ending=run.ending,
        warnings=job["warnings"],
        seconds=round(time.monotonic() - started, 1),
        tasks=results,
    )


def work(job: dict) -> None:
    """Do one job.

    Raises:
        CourseError: the solution fails.
    """
    if job["student"] is None:
        run_solution(job)
    else:
        write_whole(Path(job["out"]), grade_submission(job).to_json())
