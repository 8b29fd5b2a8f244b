"""The pages that people read: an overview of the class for the instructor, feedback for each student.

The templates escape every value; `finalize` writes hidden characters out before. The pages load nothing, run nothing
and say so to the browser (Content-Security-Policy).
"""

import base64
import difflib
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path
from statistics import mean, median

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from vla_course.evaluation.statistics import success_rate
from vla_course.grading import similarity
from vla_course.grading.compare import snap
from vla_course.grading.marks import Mark
from vla_course.grading.results import TaskResult, write_whole
from vla_course.grading.similarity import Pair
from vla_course.grading.text import number, one_line, shown

BINS = 10
MOST_LINES = 80  # of one output
MOST_CHARACTERS = 20_000  # of one output
MOST_PAIRS = 50


@dataclass(frozen=True)
class Line:
    """One row of two texts side by side; None where a text has no such line."""

    expected: str | None
    got: str | None
    same: bool


def side_by_side(expected: str, got: str) -> tuple[list[Line], str]:
    """Two printed texts, line by line; numbers that are close enough for the grader count as the same.

    Returns:
        The rows, and a note on what was left out, or "".
    """
    cut = got[: len(expected) + MOST_CHARACTERS]
    printed, wanted = cut.split("\n"), expected.split("\n")
    judged = snap(cut, expected).split("\n")
    skip = next((i for i, (a, b) in enumerate(zip(wanted, judged, strict=False)) if a != b), 0)
    skip = skip - 3 if skip > MOST_LINES // 2 else 0
    more = max(len(wanted), len(printed)) - skip - MOST_LINES
    printed, wanted, judged = (lines[skip : skip + MOST_LINES] for lines in (printed, wanted, judged))
    rows = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, wanted, judged, autojunk=False).get_opcodes():
        rows += [Line(left, right, kind == "equal") for left, right in zip_longest(wanted[a:b], printed[c:d])]
    if rows and not rows[-1].expected and not rows[-1].got:
        rows.pop()  # behind the last line's end
    notes = [f"the first {skip} lines are the same"] if skip else []
    notes += [f"{more:,} more lines"] if more > 0 else []
    notes += [f"{len(got) - len(cut):,} more characters"] if len(got) > len(cut) else []
    return rows, ", ".join(notes)


def write_reports(out: Path, marks: Sequence[Mark], similar: Sequence[Pair], about: dict) -> None:
    """Write `out/report.html`, and `out/feedback/<slug>.html` for each student.

    Args:
        out: folder of the results.
        marks: of the class.
        similar: pairs that are alike.
        about: `title`, `seed`, `sandbox`, `date` and `late` (the rule, as a sentence) of this run.
    """
    templates = _templates()
    page = templates.get_template("feedback.html")
    for mark in marks:
        write_whole(out / "feedback" / f"{mark.slug}.html", page.render(mark=mark, about=about))
    write_whole(out / "report.html", templates.get_template("overview.html").render(_overview(marks, similar, about)))


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: shown(value) if type(value) is str else value,
    )
    templates.filters |= {
        "line": one_line,
        "number": number,
        "sha256": lambda text: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode(),
        "status": _status,
    }
    templates.globals |= {"side_by_side": side_by_side, "signs": {"passed": "✓", "partly": "◐", "failed": "✗"}}
    return templates


def _status(task: TaskResult) -> str:
    """One word, which is also the class that colours it."""
    return "passed" if task.passed else "partly" if task.points > 0 else "failed"


def _overview(marks: Sequence[Mark], similar: Sequence[Pair], about: dict) -> dict:
    """What the template of the overview needs."""
    bins = [0] * BINS
    for mark in marks:
        bins[max(0, min(BINS - 1, int(BINS * mark.total / (mark.result.max_points or 1))))] += 1
    similar_students = {student for pair in similar for student in (pair.first, pair.second)}

    def flags(mark: Mark) -> list[str]:
        count = len(mark.result.warnings)
        found = ["ended early"] if mark.result.ending else []
        found += [f"{count} warning{'s' if count > 1 else ''}"] if count else []
        return found + (["similar"] if mark.student in similar_students else [])

    return {
        "about": about,
        "marks": marks,
        "unboxed": [mark for mark in marks if mark.result.sandbox == "none"],
        "seeds": sorted({mark.result.seed for mark in marks} or {about["seed"]}),
        "sandboxes": sorted({mark.result.sandbox for mark in marks} or {about["sandbox"]}),
        "mean": mean(mark.total for mark in marks) if marks else 0,
        "median": median(mark.total for mark in marks) if marks else 0,
        "most": max((mark.result.max_points for mark in marks), default=0),
        "bins": [(100 * i // BINS, 100 * (i + 1) // BINS, n, 100 * n / max(*bins, 1)) for i, n in enumerate(bins)],
        "tasks": _tasks(marks),
        "similar": similar[:MOST_PAIRS],
        "more_similar": max(0, len(similar) - MOST_PAIRS),
        "slugs": {mark.student: mark.slug for mark in marks},
        "flags": flags,
        "flagged": [mark for mark in marks if mark.result.ending or mark.result.warnings],
        "rule": {"share": similarity.THRESHOLD, "fewest": similarity.FEWEST},
    }


def _tasks(marks: Sequence[Mark]) -> list[dict]:
    """How the class did on each task, in the order of the notebook."""
    found: dict[str, list] = {}
    for mark in marks:
        for task in mark.result.tasks:
            found.setdefault(task.name, []).append(task)
    rows = []
    for tasks in found.values():
        rate = success_rate([task.passed for task in tasks])
        low, high = rate.wilson_95
        reasons = Counter(task.reason for task in tasks if task.reason and not task.passed).most_common(1)
        rows.append(
            {
                "task": tasks[0],
                "rate": rate,
                "low": 100 * low,
                "high": 100 * high,
                "reason": reasons[0] if reasons else None,
            }
        )
    return rows
