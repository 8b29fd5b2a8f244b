"""Grade a class: find the submissions, run each in a process and a box of its own, and write the reports.

What is finished stays: a result is a file, written whole, that holds the hash of all it came from. A batch that was
killed goes on from there, with the same seed, and ends the same.
"""

import functools
import hashlib
import json
import secrets
import tempfile
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from joblib import Parallel, delayed
from tqdm.auto import tqdm

from vla_course.errors import CourseError, at_once
from vla_course.grading.cells import Solution, read_solution
from vla_course.grading.library import PACKAGE, student_library
from vla_course.grading.marks import read_adjustments, slug
from vla_course.grading.measure import write_scenes
from vla_course.grading.processes import run_job, warm_up
from vla_course.grading.results import CellResult, SubmissionResult, TaskResult, write_whole
from vla_course.grading.sandbox import probe
from vla_course.grading.submissions import Submission, find_submissions

MEASURE_SECONDS = 900  # for what the worker measures itself, on a busy machine


@dataclass(frozen=True)
class Batch:
    """What all submissions of one run share.

    Attributes:
        solution: the exercise.
        out: folder of the results; absolute, since a worker elsewhere may have another working folder.
        seed: the grading seed.
        sandbox: kind of box.
    """

    solution: Solution
    out: Path
    seed: int
    sandbox: str

    @property
    def work(self) -> Path:
        """Folder of the students' library, the expected texts and the scenes."""
        return self.out / "work"

    def key(self, submission: Submission) -> str:
        """Hash of all that a result comes from."""
        parts = [asdict(submission), source_hash(self.solution.path), self.seed, self.sandbox]
        return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()

    def expected(self) -> Path:
        """Folder of what the solution printed and handed in with this seed."""
        run = json.dumps([source_hash(self.solution.path), self.seed, self.sandbox])
        return self.work / f"expected-{hashlib.sha256(run.encode()).hexdigest()[:16]}"

    def job(self, **more: object) -> dict:
        """What a worker is told."""
        scenes = self.work / "scenes.npz"
        return {
            "solution": str(self.solution.path.resolve()),
            "folder": str(self.expected()),
            "seed": self.seed,
            "sandbox": self.sandbox,
            "library": str(self.work / "library"),
            "files": {scenes.name: str(scenes)} if scenes.exists() else {},
            **more,
        }

    def run(self, job: dict) -> None:
        """Do one job in a process of its own.

        Raises:
            CourseError: it failed, or did not end.
        """
        run_job(job, self.solution.limits.notebook_seconds + MEASURE_SECONDS)


def result_path(out: Path, student: str) -> Path:
    """Where a student's result lies."""
    return out / "results" / f"{slug(student)}.json"


@functools.cache
def source_hash(solution: Path) -> str:
    """Hash of a solution and of the library."""
    sources = sorted(PACKAGE.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in (solution, *sources))).hexdigest()


def grade(
    where: Path, path: Path, out: Path, seed: int | None, jobs: int, sandbox: str, regrade: tuple[str, ...]
) -> tuple[Batch, list[SubmissionResult]]:
    """Grade every submission that has no result yet.

    Args:
        where: the submissions; see `find_submissions`.
        path: the solution notebook.
        out: folder of the results.
        seed: the grading seed; None takes that of an earlier run into `out`, or draws one.
        jobs: submissions graded at once.
        sandbox: kind of box.
        regrade: students who are graded anew.

    Returns:
        What the run was, and the results in the order of the students.

    Raises:
        CourseError: bad input, no sandbox, or a solution that does not run.
    """
    at_once("-j", jobs)
    warm_up(path)
    solution = read_solution(path.resolve())
    known = {cell.id for cell in solution.notebook.cells}
    submissions = find_submissions(where, solution.name, [task.name for task in solution.tasks], known)
    if all("no notebook" in submission.problem for submission in submissions):
        raise CourseError(f"{where}: nobody handed in {solution.name}.ipynb; is the week right?")
    unknown = set(regrade) - {submission.student for submission in submissions}
    if unknown:
        raise CourseError(f"--regrade {sorted(unknown)[0]!r}: no such student in {where}; give the folder's name")
    read_adjustments(out / "adjustments.csv", [submission.student for submission in submissions])  # errors come early
    finished = finished_results(solution, out, seed, sandbox, submissions)
    results = {student: result for student, result in finished.items() if student not in regrade}
    todo = [submission for submission in submissions if submission.student not in results]
    batch = prepare(solution, out, seed, sandbox, bool(todo))
    done = Parallel(n_jobs=jobs, prefer="threads", return_as="generator_unordered")(
        delayed(grade_one)(batch, submission) for submission in todo
    )
    for result in tqdm(done, total=len(todo), desc="grade", unit="submission", disable=not todo):
        results[result.student] = result
    return batch, [results[submission.student] for submission in submissions]


def finished_results(
    solution: Solution, out: Path, seed: int | None, sandbox: str, submissions: list[Submission]
) -> dict[str, SubmissionResult]:
    """Student to result, where an earlier call has graded what was handed in, with the solution and library as now."""
    found = {}
    for submission in submissions:
        path = result_path(out, submission.student)
        if path.exists():
            result = SubmissionResult.from_json(path.read_text())
            batch = Batch(solution, out, result.seed, sandbox)
            if seed in (None, result.seed) and result.key == batch.key(submission):
                found[submission.student] = result
    return found


def prepare(solution: Solution, out: Path, seed: int | None, sandbox: str, work: bool) -> Batch:
    """Draw the seed, check the sandbox, run the solution.

    A run that was stopped keeps its seed. Once its reports are written, students may have read what their probes
    printed, so whatever is graded later gets a fresh one.

    Args:
        solution: the exercise.
        out: folder of the results.
        seed: given by the instructor, or None.
        sandbox: kind of box.
        work: whether anything is left to grade.

    Raises:
        CourseError: no sandbox, or the solution fails.
    """
    record = out / "run.json"
    earlier = json.loads(record.read_text()) if record.exists() else {}
    if earlier and earlier["notebook"] != solution.name:
        raise CourseError(f"{out} holds the grades of {earlier['notebook']}; give another folder with --out")
    published = earlier.get("published", False) and not work
    if seed is None:
        seed = earlier["seed"] if earlier and earlier["published"] == published else secrets.randbits(64)
    batch = Batch(solution, out.resolve(), seed, sandbox)
    library = student_library(batch.work / "library", [name for task in solution.tasks for name in task.may_not_use])
    with tempfile.TemporaryDirectory(prefix="grading-") as folder:
        probe(sandbox, Path(folder), library, [folder, str(solution.path.resolve()), str(out.resolve())])
    for task in solution.tasks:
        if task.measure and task.measure.kind == "actions":
            write_scenes(task.measure, seed, batch.work / "scenes.npz")
            (batch.work / "scenes.npz").chmod(0o644)
    resumed = earlier.get("seed") == seed
    date = earlier["date"] if resumed else datetime.now().astimezone().isoformat(timespec="minutes")
    about = {"notebook": solution.name, "seed": seed, "sandbox": sandbox, "date": date, "published": published}
    write_whole(record, json.dumps(about, indent=1))
    if not (batch.expected() / "expected.json").exists():
        batch.run(batch.job(student=None))
    return batch


def grade_one(batch: Batch, submission: Submission) -> SubmissionResult:
    """Grade one submission, whatever it does, and write its result."""
    path, key = result_path(batch.out, submission.student), batch.key(submission)
    if submission.problem:
        result = nothing(batch, submission, submission.problem, key)
    else:
        told = {name: getattr(submission, name) for name in ("student", "answers", "submitted_at", "warnings")}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        try:
            batch.run(batch.job(**told, key=key, out=str(path.resolve())))
            return SubmissionResult.from_json(path.read_text())
        except (CourseError, OSError) as error:  # no key: the next run tries again
            result = nothing(batch, submission, f"the grader could not finish this submission ({error})", "")
    write_whole(path, result.to_json())
    return result


def nothing(batch: Batch, submission: Submission, why: str, key: str) -> SubmissionResult:
    """The result of a submission of which nothing could be graded."""
    tasks = [
        TaskResult(
            task.name, task.title, 0, task.points, submission.answers.get(task.name, ""),
            [CellResult(task.check.id, "check", False, reason=why)],
        )
        for task in batch.solution.tasks
    ]  # fmt: skip
    return SubmissionResult(
        student=submission.student,
        notebook=batch.solution.name,
        key=key,
        seed=batch.seed,
        sandbox=batch.sandbox,
        submitted_at=submission.submitted_at,
        ending=why,
        warnings=submission.warnings,
        seconds=0.0,
        tasks=tasks,
    )
