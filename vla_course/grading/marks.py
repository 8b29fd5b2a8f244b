"""From results to final marks: the late penalty, and what the instructor adds or takes by hand."""

import csv
import difflib
import hashlib
import io
import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from vla_course.errors import CourseError
from vla_course.grading.results import SubmissionResult, write_whole
from vla_course.grading.text import cell, one_line

HEADER = ["student", "points", "reason"]


@dataclass(frozen=True)
class Late:
    """The rule for late submissions: each started day after `due` takes `percent_per_day` of the points earned.

    Attributes:
        due: with an offset from UTC, or None where nothing is ever late.
        percent_per_day: 0 to 100.

    Raises:
        CourseError: `due` has no offset, or the percentage is out of range.
    """

    due: datetime | None = None
    percent_per_day: float = 0

    def __post_init__(self):
        if self.due and self.due.utcoffset() is None:
            raise CourseError(f"due {self.due.isoformat()}: has no offset from UTC; write {self.due.isoformat()}+00:00")
        if not 0 <= self.percent_per_day <= 100:
            raise CourseError(f"late penalty {self.percent_per_day}: not a percentage; give a number from 0 to 100")

    def __str__(self) -> str:
        if not self.due or not self.percent_per_day:
            return "none"
        return f"{self.percent_per_day:g}% of the points earned for each started day after {self.due:%Y-%m-%d %H:%M %z}"


@dataclass
class Mark:
    """The final mark of one student.

    Attributes:
        student: as found, unescaped.
        slug: the student's name in file names.
        result: what grading found.
        late_points: 0 or below.
        adjustment, adjustment_reason: given by hand.
        total: at least 0, at most what all tasks are worth and a positive adjustment.
        late_reason: how late it was, or "".
    """

    student: str
    slug: str
    result: SubmissionResult
    late_points: float
    adjustment: float
    adjustment_reason: str
    total: float
    late_reason: str = ""


def slug(student: str) -> str:
    """A name for files: readable, ASCII letters, digits and hyphens; a hash tells names apart that read alike."""
    ascii_name = unicodedata.normalize("NFKD", student).encode("ascii", "ignore").decode().lower()
    readable = re.sub("[^a-z0-9]+", "-", ascii_name).strip("-")[:40].strip("-") or "student"
    return f"{readable}-{hashlib.sha256(student.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def read_adjustments(path: Path, students: Iterable[str]) -> dict[str, tuple[float, str]]:
    """What the instructor wrote into the file, as student -> (points, reason); written with its header when absent.

    A student is named as in grades.csv, or by the slug. Several rows for one student add up. The separators, the byte
    order mark and the decimal comma of a spreadsheet are understood. The grader never changes the file.

    Args:
        path: such as grades/adjustments.csv.
        students: everyone in the class.

    Raises:
        CourseError: a row that cannot be applied, with its number and what to write instead.
    """
    if not path.exists():
        write_whole(path, "\ufeff" + ",".join(HEADER) + "\n")  # the mark tells Excel that the file is UTF-8
    try:
        text = path.read_text(encoding="utf-8-sig")
        separator = max(",;\t", key=text.partition("\n")[0].count)
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CourseError(f'{path}: not a CSV file ({error}); save it as "CSV UTF-8"') from None
    if not rows or [name.strip().lower() for name in rows[0][:3]] != HEADER:
        raise CourseError(f"{path}, row 1: the header is not {','.join(HEADER)}; write that")
    known: dict[str, set[str]] = {}
    for student in students:
        for name in (student, str(cell(student)), slug(student)):
            known.setdefault(_same_name(name), set()).add(student)
    found: dict[str, tuple[float, str]] = {}
    for row_number, row in enumerate(rows[1:], start=2):
        if not any(value.strip() for value in row):
            continue
        name, points, reason = (value.strip() for value in (*row, "", "")[:3])
        where = f"{path}, row {row_number}:"
        matches = known.get(_same_name(name), set())
        if not matches:
            close = difflib.get_close_matches(_same_name(name)[:100], known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else "write the name as in grades.csv"
            raise CourseError(f"{where} unknown student {one_line(name, 100)!r}; {hint}")
        if len(matches) > 1:
            raise CourseError(f"{where} {one_line(name, 100)!r} names {len(matches)} students; write the slug")
        try:
            value = float(points.replace(",", "."))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise CourseError(f"{where} {one_line(points, 40)!r} is not a number of points; write one such as -1.5")
        if not reason:
            raise CourseError(f"{where} has no reason; write one, the student reads it")
        student = next(iter(matches))
        before = found.get(student)
        found[student] = (before[0] + value, f"{before[1]}; {reason}") if before else (value, reason)
    return found


def final_marks(
    results: Iterable[SubmissionResult], late: Late, adjustments: dict[str, tuple[float, str]]
) -> list[Mark]:
    """One mark for each result, ordered by name.

    Raises:
        CourseError: two results of one student.
    """
    marks: dict[str, Mark] = {}
    for result in results:
        mark = _mark(result, late, *adjustments.get(result.student, (0.0, "")))
        if mark.slug in marks:
            raise CourseError(f"student {one_line(result.student, 100)!r}: has two results; keep one submission folder")
        marks[mark.slug] = mark
    return sorted(marks.values(), key=lambda mark: (mark.student.casefold(), mark.slug))


def _mark(result: SubmissionResult, late: Late, adjustment: float, adjustment_reason: str) -> Mark:
    late_points, late_reason = 0.0, ""
    if late.due:
        submitted = _time(result.submitted_at)
        if submitted is None:
            warning = "the time of submission is not known, so no late penalty was taken"
            result = replace(result, warnings=[*result.warnings, warning])
        elif submitted > late.due:
            days = -((late.due - submitted) // timedelta(days=1))  # rounded up
            percent = min(100, days * late.percent_per_day)
            late_points = min(0.0, -round(result.points * percent / 100, 2))
            late_reason = f"{days} started {'day' if days == 1 else 'days'} late, {percent:g}% of the points earned"
    most = result.max_points + max(0.0, adjustment)
    total = round(min(most, max(0.0, result.points + late_points + adjustment)), 2)
    return Mark(
        result.student, slug(result.student), result, late_points, adjustment, adjustment_reason, total, late_reason
    )


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.utcoffset() is not None else None


def _same_name(name: str) -> str:
    """Equal for names that look equal: macOS stores é as two characters."""
    return unicodedata.normalize("NFC", name).strip()
