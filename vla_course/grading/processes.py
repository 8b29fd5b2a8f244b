"""One process for each submission, forked from one that has imported everything: much faster than a fresh start.

This module imports little, so that the fork server can start while the grader is still importing the rest.
"""

import contextlib
import importlib
import multiprocessing
import os
import tempfile
import threading
from multiprocessing import forkserver
from multiprocessing.context import BaseContext
from pathlib import Path

from vla_course.errors import CourseError

WORKER = "vla_course.grading.worker"
LARGEST_WORKER = 4 * 2**30  # bytes that the process which talks to a kernel may allocate
PHYSICS = ["vla_course.evaluation.rollouts", "safetensors.torch"]


def find_solution(root: Path, week: str) -> Path:
    """The solution notebook of a week.

    Raises:
        CourseError: there is none.
    """
    there = sorted((root / "solutions").glob("week*.ipynb"))
    found = [path for path in there if path.name.startswith(f"week{week.zfill(2)}_")]
    if not found:
        names = f"only {', '.join(path.stem for path in there)}" if there else "and no other solution"
        raise CourseError(f"no solutions/week{week.zfill(2)}_*.ipynb here, {names}; run this in the course's folder")
    return found[0]


def warm_up(solution: Path) -> None:
    """Start the fork server, with what the jobs of this solution import."""
    context = _context()
    context.set_forkserver_preload([WORKER, *(PHYSICS if '"kind": "policy"' in solution.read_text() else [])])
    if context.get_start_method() == "forkserver":
        forkserver.ensure_running()


def run_job(job: dict, seconds: float) -> None:
    """Do one job in a process of its own.

    Args:
        job: what `worker.work` takes.
        seconds: when to give up.

    Raises:
        CourseError: it failed, or did not end.
    """
    with tempfile.TemporaryDirectory(prefix="grading-") as folder:
        failure = Path(folder) / "failure.txt"
        process = _context().Process(target=_work, args=(job, failure))
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise CourseError(f"no result after {seconds:g} s")
        if process.exitcode:
            raise CourseError(failure.read_text() if failure.exists() else f"status {process.exitcode}")


def _context() -> BaseContext:
    methods = multiprocessing.get_all_start_methods()
    method = "forkserver" if "forkserver" in methods else "spawn"
    if multiprocessing.get_start_method() not in methods:  # in a worker of loky, which has a method of its own
        multiprocessing.set_start_method(method, force=True)
    return multiprocessing.get_context(method)


def _work(job: dict, failure: Path) -> None:
    threading.Thread(target=_end_with_the_grader, daemon=True).start()
    with contextlib.suppress(ImportError):  # Windows has no such limit
        import resource

        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (LARGEST_WORKER if hard < 0 else min(hard, LARGEST_WORKER), hard))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    try:
        importlib.import_module(WORKER).work(job)
    except Exception as error:  # whatever it is, the grader says it and goes on with the next submission
        failure.write_text(str(error) if isinstance(error, CourseError) else type(error).__name__)
        os._exit(2)


def _end_with_the_grader() -> None:
    """End when the grader has ended, however it did; the box then ends too."""
    multiprocessing.parent_process().join()
    os._exit(3)
