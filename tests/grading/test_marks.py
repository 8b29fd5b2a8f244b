"""Marks follow their rules: late days, what the instructor changed by hand, and never outside what can be earned."""

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_course.errors import CourseError
from vla_course.grading.marks import Late, Mark, final_marks, read_adjustments, slug
from vla_course.grading.results import SubmissionResult, TaskResult

DUE = datetime(2026, 11, 20, 12, tzinfo=UTC)


def result(student: str = "Ana", points: float = 8, submitted: str = "") -> SubmissionResult:
    task = TaskResult("loss", "The loss", points, 10, "x = 1")
    return SubmissionResult(student, "week08_x", "key", 1, "bubblewrap", submitted, "", [], 1.0, [task])


def mark(late: Late = Late(), adjustment: tuple[float, str] = (0.0, ""), **kwargs) -> Mark:  # noqa: B008
    one = result(**kwargs)
    return final_marks([one], late, {one.student: adjustment})[0]


@given(st.text(max_size=400))
def test_a_slug_is_short_and_safe_as_a_file_name(student):
    assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", slug(student))
    assert len(slug(student)) <= 53


@given(st.text(max_size=60), st.text(max_size=60))
def test_two_names_never_share_a_slug(one, other):
    assert (slug(one) == slug(other)) == (one == other)


def test_slugs_are_readable_and_tell_look_alikes_apart():
    assert slug("Zoë Müller").startswith("zoe-muller-")
    assert len({slug(name) for name in ("ana", "Ana", "ANA", "ana ", "аna", "a-na", "\ud800", "", " ")}) == 9


@pytest.mark.parametrize(
    ("seconds_late", "days"), [(-1, 0), (0, 0), (1, 1), (86_400, 1), (86_401, 2), (3 * 86_400, 3), (10 * 86_400, 10)]
)
def test_each_started_day_takes_its_percentage_of_the_points_earned(seconds_late, days):
    submitted = (DUE + timedelta(seconds=seconds_late)).isoformat()
    late = mark(Late(DUE, 15), submitted=submitted)
    assert late.late_points == pytest.approx(-8 * min(1, 0.15 * days))
    assert late.total == pytest.approx(8 * max(0, 1 - 0.15 * days))
    assert bool(late.late_reason) == (days > 0)


def test_the_hour_is_compared_across_time_zones():
    tokyo = timezone(timedelta(hours=9))
    assert mark(Late(DUE, 50), submitted=datetime(2026, 11, 20, 20, 59, tzinfo=tokyo).isoformat()).total == 8
    assert mark(Late(DUE, 50), submitted=datetime(2026, 11, 20, 21, 1, tzinfo=tokyo).isoformat()).total == 4


@pytest.mark.parametrize("submitted", ["", "yesterday", "2026-11-25T12:00:00"])
def test_without_a_time_nothing_is_taken_and_a_warning_says_so(submitted):
    before = result(submitted=submitted)
    after = final_marks([before], Late(DUE, 50), {})[0]
    assert after.total == 8
    assert "time of submission" in after.result.warnings[0]
    assert before.warnings == []  # what lies on disk stays as it was graded
    assert final_marks([before], Late(), {})[0].result.warnings == []


def test_a_late_rule_that_cannot_be_meant_is_refused():
    with pytest.raises(CourseError, match="offset"):
        Late(datetime(2026, 11, 20), 10)
    for percent in (-1, 101, float("nan")):
        with pytest.raises(CourseError, match="percentage"):
            Late(DUE, percent)


@given(
    st.floats(0, 10), st.floats(-30, 30), st.integers(-100, 1000), st.floats(0, 100), st.sampled_from(["", "explained"])
)
def test_a_total_stays_within_what_can_be_earned(points, adjustment, hours, percent, reason):
    submitted = (DUE + timedelta(hours=hours)).isoformat()
    one = mark(Late(DUE, percent), (adjustment, reason), points=points, submitted=submitted)
    assert one.late_points <= 0
    assert 0 <= one.total <= 10 + max(0, adjustment) + 0.005
    plain = points + one.late_points + adjustment
    assert one.total == pytest.approx(min(10 + max(0, adjustment), max(0, plain)), abs=0.006)


def test_two_results_of_one_student_are_refused():
    with pytest.raises(CourseError, match="two results"):
        final_marks([result(), result()], Late(), {})


def test_the_file_of_adjustments_is_made_once_and_then_left_alone(tmp_path):
    path = tmp_path / "grades" / "adjustments.csv"
    assert read_adjustments(path, ["Ana"]) == {}
    assert path.read_text(encoding="utf-8-sig") == "student,points,reason\n"
    path.write_text("student,points,reason\nAna,1,asked well\n")
    before = path.read_bytes()
    assert read_adjustments(path, ["Ana"]) == {"Ana": (1.0, "asked well")}
    assert path.read_bytes() == before


STUDENTS = ["Ana", "=SUM(1)", "Zoë Müller", "two\nlines", "\x1b[31mred"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("student,points,reason\nAna,1,a\nAna,-0.5,b\n", {"Ana": (0.5, "a; b")}),
        ("\ufeffstudent;points;reason\r\nAna;1,5;komma\r\n;;\r\n\r\n", {"Ana": (1.5, "komma")}),
        ("Student\tPoints\tReason\tme\nAna\t2\ttabs\tnote\n", {"Ana": (2.0, "tabs")}),
        ("student,points,reason\n'=SUM(1),1,as grades.csv shows it\n", {"=SUM(1)": (1.0, "as grades.csv shows it")}),
        ('student,points,reason\n"=SUM(1)",1,as it is\n', {"=SUM(1)": (1.0, "as it is")}),
        (f"student,points,reason\n{slug('Ana')},1,slug\n", {"Ana": (1.0, "slug")}),
        ("student,points,reason\nZoe\u0308 Mu\u0308ller,1,from a Mac\n", {"Zoë Müller": (1.0, "from a Mac")}),
        (
            "student,points,reason\ntwo\\nlines,1,x\n\\x1b[31mred,2,y\n",
            {"two\nlines": (1, "x"), "\x1b[31mred": (2, "y")},
        ),
        ('student,points,reason\nAna,1,"=1+1, and\nmore"\n', {"Ana": (1.0, "=1+1, and\nmore")}),
    ],
)
def test_adjustments_are_read_as_spreadsheets_write_them(tmp_path, content, expected):
    path = tmp_path / "adjustments.csv"
    path.write_bytes(content.encode())
    assert read_adjustments(path, STUDENTS) == expected


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("Ana,1,a\nAnna,1,b", "row 3: unknown student 'Anna'; did you mean 'Ana'"),
        ("Ana,lots,b", "row 2: 'lots' is not a number"),
        ("Ana,nan,b", "row 2: 'nan' is not a number"),
        ("Ana,,b", "row 2: '' is not a number"),
        ("Ana,1e999,b", "not a number"),
        ("Ana,1,", "row 2: has no reason"),
        ("Ana,1", "row 2: has no reason"),
        ('"Ana,1,b', "CSV UTF-8"),
        ("\x1b]0;evil\x07,1,b", r"unknown student '\\x1b"),
    ],
)
def test_a_row_that_cannot_be_applied_is_named(tmp_path, rows, message):
    path = tmp_path / "adjustments.csv"
    path.write_text(f"student,points,reason\n{rows}\n")
    with pytest.raises(CourseError) as error:
        read_adjustments(path, STUDENTS)
    assert re.search(message, str(error.value)) or message in str(error.value)
    assert str(path) in str(error.value)
    assert "\x1b" not in str(error.value) and "\n" not in str(error.value)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "adjustments.csv"
    for content in (b"", b"name,points\nAna,1\n", "student,points,reason\nZoë,1,x\n".encode("cp1252")):
        path.write_bytes(content)
        with pytest.raises(CourseError, match="adjustments.csv"):
            read_adjustments(path, STUDENTS)


def test_a_name_that_means_two_students_is_refused(tmp_path):
    path = tmp_path / "adjustments.csv"
    path.write_text("student,points,reason\n'=A1,1,x\n")
    with pytest.raises(CourseError, match="2 students; write the slug"):
        read_adjustments(path, ["=A1", "'=A1"])


def test_adjustments_survive_a_regrade(tmp_path: Path):
    path = tmp_path / "adjustments.csv"
    path.write_text("student,points,reason\nAna,1.5,explained it\n")
    for points in (3, 7):
        one = final_marks([result(points=points)], Late(), read_adjustments(path, ["Ana"]))[0]
        assert (one.total, one.adjustment_reason) == (points + 1.5, "explained it")
