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
from vla_course.grading.assemble import assemble, compared_cells, judge, judge_measure, measures
from vla_course.grading.cells import Solution, read_solution
from vla_course.grading.results import SubmissionResult, write_whole
from vla_course.grading.run import Run, execute
from vla_course.grading.sandbox import Box


def run_notebook(
    solution: Solution, answers: dict[str, str], seed: int, expected: dict, sandbox: str, library: Path, files: dict
) -> Run:
    """Run the assembled notebook in a box.

    Args:
        solution: the exercise.
        answers: task to source.
        seed: of the grading run.
        expected: id of a compared cell to what it must print; empty when the solution itself runs.
        sandbox: kind of box.
        library: what the kernel imports.
        files: what the kernel finds in its working folder.
    """
    with tempfile.TemporaryDirectory(prefix="grading-") as name, contextlib.ExitStack() as locks:
        folder = Path(name)
        taken = {f"{task}-check": measure.files for task, measure in measures(solution).items()}
        core = locks.enter_context(one_core()) if sandbox == "bubblewrap" else None
        run = Run(Box(sandbox, folder, library, files, solution.limits, core=core), expected, taken)
        path = folder / solution.path.name
        nbformat.write(assemble(solution, answers, seed, expected), path)
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
    files = {name: Path(path) for name, path in job["files"].items()}
    run = run_notebook(solution, answers, job["seed"], {}, job["sandbox"], Path(job["library"]), files)
    for cell in solution.notebook.cells:
        if cell.cell_type == "code" and (run.ending or cell.id not in run.cells or run.cells[cell.id].error):
            error = run.cells[cell.id].error if cell.id in run.cells else "did not run"
            if error or run.ending:
                raise CourseError(
                    f"{solution.path.name}: cell {cell.id!r} of the solution: {error} {run.ending}; mend it"
                )
    for name, data in run.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    printed = {cell: run.cells[cell].printed for cell in compared_cells(solution)}
    write_whole(folder / "expected.json", json.dumps(printed, indent=1))


def grade_submission(job: dict) -> SubmissionResult:
    """Run one submission and judge it."""
    started = time.monotonic()
    solution, folder = read_solution(Path(job["solution"])), Path(job["folder"])
    expected = json.loads((folder / "expected.json").read_text())
    answers, seed = job["answers"], job["seed"]
    files = {name: Path(path) for name, path in job["files"].items()}
    run = run_notebook(solution, answers, seed, expected, job["sandbox"], Path(job["library"]), files)
    results = []
    for task in solution.tasks:
        result = judge(task, answers.get(task.name), run, expected)
        if measure := measures(solution).get(task.name):
            config = folder / measure.files[-1]
            with tempfile.TemporaryDirectory(prefix="grading-") as empty:
                judge_measure(
                    result,
                    measure,
                    run.files.get(measure.file),
                    config.read_bytes() if measure.kind == "policy" else None,
                    seed,
                    Path(empty),
                    run.ending,
                )
        results.append(result)
    return SubmissionResult(
        student=job["student"],
        notebook=solution.name,
        key=job["key"],
        seed=seed,
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
