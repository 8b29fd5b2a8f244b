"""From results to everything that people and other programs read."""

import json
from datetime import datetime

from vla_course.errors import CourseError
from vla_course.grading.cells import stub
from vla_course.grading.exports import write_exports
from vla_course.grading.grade import Batch
from vla_course.grading.marks import Late, final_marks, read_adjustments
from vla_course.grading.report import write_reports
from vla_course.grading.results import SubmissionResult, write_whole
from vla_course.grading.similarity import similar_pairs


def late_rule(due: str | None, percent_per_day: float) -> Late:
    """The late rule as given on the command line; a time without an offset is in this machine's zone.

    Raises:
        CourseError: not a time, not a percentage, or one without the other.
    """
    try:
        time = datetime.fromisoformat(due) if due else None
    except ValueError:
        raise CourseError(f"--due {due!r} is not a time; write one such as 2026-11-20T23:59") from None
    if bool(due) != bool(percent_per_day):
        raise CourseError("a late penalty needs both --due and --late; give the time and the percent per day")
    return Late(time.astimezone() if time and time.utcoffset() is None else time, percent_per_day)


def publish(batch: Batch, results: list[SubmissionResult], late: Late) -> str:
    """Write the marks, the reports and the exports; the same results give the same files.

    Returns:
        A few lines for the terminal.
    """
    adjustments = read_adjustments(batch.out / "adjustments.csv", [result.student for result in results])
    marks = final_marks(results, late, adjustments)
    run = json.loads((batch.out / "run.json").read_text())
    write_whole(batch.out / "run.json", json.dumps(run | {"published": True}, indent=1))  # see `prepare`
    template = {task.name: stub(task.answer.source, task.name) for task in batch.solution.tasks}
    similar = similar_pairs(results, template)
    about = {
        "title": batch.solution.name,
        "seed": batch.seed,
        "sandbox": batch.sandbox,
        "date": run["date"],
        "late": str(late),
    }
    write_reports(batch.out, marks, similar, about)
    write_exports(batch.out, marks, batch.solution.name)
    mean = sum(mark.total for mark in marks) / len(marks)
    most = results[0].max_points
    lines = [
        f"{len(marks)} submissions, mean {mean:.1f} of {most:g} points, seed {batch.seed}, sandbox {batch.sandbox}"
    ]
    if ended := sum(bool(result.ending) for result in results):
        lines.append(f"{ended} ended early or could not be read")
    if similar:
        lines.append(f"{len(similar)} pairs are similar; look at them yourself")
    return "\n".join([*lines, f"open {batch.out / 'report.html'}"])
