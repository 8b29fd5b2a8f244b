"""The marks in the forms that other programs read: spreadsheets, Canvas, Moodle, Gradescope, GitHub Classroom, JUnit.

The importers were read to learn what they need: `gradebook_importer.rb` of Canvas, `importgradeslib.php` of Moodle's
offline grading worksheet, and `autograding-grading-reporter` of GitHub Classroom.
"""

import base64
import csv
import html
import io
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree

from vla_course.grading.marks import Mark
from vla_course.grading.results import TaskResult, write_whole
from vla_course.grading.text import cell, clip, number, one_line, shown

MOODLE_NAME = re.compile(r"(?P<name>.+)_(?P<participant>[0-9]+)", re.DOTALL)
EMAIL = re.compile(r"[\w.+-]+@[\w.-]+")


def write_exports(out: Path, marks: Sequence[Mark], title: str) -> None:
    """Write grades.csv, canvas.csv, moodle.csv, junit.xml, and for each student gradescope/ and classroom/.

    Args:
        out: folder of the results.
        marks: of the class.
        title: the assignment's name in the learning management system.
    """
    write_whole(out / "grades.csv", grades_csv(marks))
    write_whole(out / "canvas.csv", canvas_csv(marks, title))
    write_whole(out / "moodle.csv", moodle_csv(marks))
    write_whole(out / "junit.xml", junit_xml(marks))
    for mark in marks:
        write_whole(out / "gradescope" / f"{mark.slug}.json", json.dumps(gradescope(mark), indent=1))
        result = json.dumps(classroom(mark), indent=1)
        write_whole(out / "classroom" / f"{mark.slug}.json", result)
        name = f"{runner_id(mark).upper()}_RESULTS"
        write_whole(out / "classroom" / f"{mark.slug}.env", f"{name}={base64.b64encode(result.encode()).decode()}\n")


def grades_csv(marks: Sequence[Mark]) -> str:
    """Everything, a row each student: for a spreadsheet."""
    tasks = list(dict.fromkeys(task.name for mark in marks for task in mark.result.tasks))
    rows = []
    for mark in marks:
        result, earned = mark.result, {task.name: task.points for task in mark.result.tasks}
        rows.append(
            [mark.student, mark.slug, *(earned.get(task, "") for task in tasks), result.points, mark.late_points]
            + [mark.adjustment, mark.adjustment_reason, mark.total, result.max_points, result.submitted_at]
            + [result.seed, result.sandbox, result.ending, "; ".join(result.warnings)]
        )
    header = ["student", "slug", *tasks, "points", "late", "adjustment", "reason", "total", "maximum", "submitted"]
    return _csv([[*header, "seed", "sandbox", "ending", "warnings"], *rows])


def canvas_csv(marks: Sequence[Mark], title: str) -> str:
    """For Canvas: Grades, Import. It finds a student by login, else by name."""
    most = max((mark.result.max_points for mark in marks), default=0)
    header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title]
    rows = []
    for mark in marks:
        # A first cell that holds these words would set the assignment's maximum.
        name = mark.student.replace("Points Possible", "points possible")
        rows.append([name, "", "", "" if " " in name else name, "", mark.total])
    return _csv([header, ["    Points Possible", "", "", "", "", most], *rows])


def moodle_csv(marks: Sequence[Mark]) -> str:
    """For Moodle: the assignment's "Upload grading worksheet". It finds a student by the identifier.

    A folder that Moodle packed is named "Full Name_12345_assignsubmission_file_"; its number is the identifier.
    Moodle shows feedback comments as HTML, so they are escaped.
    """
    header = ["Identifier", "Full name", "Email address", "Grade", "Maximum grade", "Last modified (grade)"]
    rows = []
    for mark in marks:
        match = MOODLE_NAME.fullmatch(mark.student)
        name, identifier = (match["name"], f"Participant {match['participant']}") if match else (mark.student, "")
        email = name if EMAIL.fullmatch(name) else ""
        tasks = [f"{one_line(task.title)}: {_points(task)}" for task in mark.result.tasks]
        comments = html.escape(". ".join(tasks + _changes(mark)), quote=False)
        rows.append([identifier, name, email, mark.total, mark.result.max_points, "", comments])
    return _csv([[*header, "Feedback comments"], *rows])


def junit_xml(marks: Sequence[Mark]) -> str:
    """For anything that shows tests: a suite each student, a case each task. A failure says why."""
    root = ElementTree.Element("testsuites", name="grades")
    for mark in marks:
        result = mark.result
        failed = sum(not task.passed for task in result.tasks)
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=one_line(mark.student),
            tests=str(len(result.tasks)),
            failures=str(failed),
            errors="0",
            skipped="0",
            time=f"{result.seconds:.3f}",
        )
        properties = ElementTree.SubElement(suite, "properties")
        for name, value in (("total", number(mark.total)), ("maximum", number(result.max_points)), ("slug", mark.slug)):
            ElementTree.SubElement(properties, "property", name=name, value=str(value))
        for task in result.tasks:
            case = ElementTree.SubElement(suite, "testcase", classname=one_line(result.notebook), name=task.name)
            if not task.passed:
                failure = ElementTree.SubElement(case, "failure", message=_points(task), type="points")
                failure.text = _details(task)
        if result.ending:
            ElementTree.SubElement(suite, "system-err").text = one_line(result.ending)
    ElementTree.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def gradescope(mark: Mark) -> dict:
    """Gradescope's results.json. Every text is shown as text."""
    return {
        "score": number(mark.total),
        "execution_time": round(mark.result.seconds),
        "output": "\n".join(_changes(mark)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "tests": [
            {
                "name": one_line(task.title),
                "score": number(task.points),
                "max_score": number(task.max_points),
                "status": "passed" if task.passed else "failed",
                "output": "" if task.passed else f"{_points(task)}\n{_details(task)}",
                "visibility": "visible",
            }
            for task in mark.result.tasks
        ],
    }


def runner_id(mark: Mark) -> str:
    """The runner's name for GitHub Classroom, which takes letters and digits only, such as week08behaviorcloning."""
    return re.sub("[^a-z0-9]", "", mark.result.notebook.lower()) or "grading"


def classroom(mark: Mark) -> dict:
    """What GitHub Classroom's reporter reads, encoded, from the variable `<RUNNER>_RESULTS`.

    It adds up the tests' scores, so that late penalty and adjustment are a test too.
    """
    tests = [
        _classroom_test(task.title, task.passed, task.points, "" if task.passed else _points(task))
        for task in mark.result.tasks
    ]
    if changed := number(mark.total - mark.result.points):
        why = "; ".join(_changes(mark))
        tests.append(_classroom_test("Late penalty and adjustment", changed > 0, changed, why))
    passed = all(test["status"] == "pass" for test in tests)
    status = "error" if mark.result.ending else "pass" if passed else "fail"
    return {"version": 1, "status": status, "max_score": number(mark.result.max_points), "tests": tests}


def _classroom_test(name: str, passed: bool, score: float, message: str) -> dict:
    name, message = (_log_line(text) for text in (name, message))
    status, score = "pass" if passed else "fail", number(score)
    test = {"name": name, "status": status, "score": score, "message": message}
    return test | {"test_code": "", "filename": "", "line_no": 0, "duration": 0}


def _log_line(text: str) -> str:
    """One line that is text in a workflow's log: GitHub obeys `##[` anywhere (and `::` where a line starts)."""
    return one_line(text, 200).replace("##[", "## [")


def _points(task: TaskResult) -> str:
    reason = f": {one_line(task.reason)}" if task.reason and not task.passed else ""
    return f"{number(task.points)} of {number(task.max_points)} points{reason}"


def _changes(mark: Mark) -> list[str]:
    """What changed the total beside the tasks' points, and how the run went, in words."""
    lines = []
    if mark.result.ending:
        lines.append(f"The run was ended early: {one_line(mark.result.ending)}")
    if mark.late_reason:
        lines.append(f"Late penalty: {number(mark.late_points)} points ({mark.late_reason})")
    if mark.adjustment_reason:
        lines.append(
            f"Changed by your instructor: {number(mark.adjustment):+} points ({one_line(mark.adjustment_reason)})"
        )
    if mark.result.sandbox == "none":
        lines.append("Graded without a sandbox")
    return lines


def _details(task: TaskResult) -> str:
    """Expected and got of the cells that failed."""
    return "\n".join(
        f"{name} ({c.cell}):\n{shown(clip(text, 4000))}"
        for c in task.cells
        if not c.passed
        for name, text in (("expected", c.expected), ("got", c.got))
    )


def _csv(rows: Iterable[Iterable[str | float]]) -> str:
    """Text in quotes, so that no spreadsheet splits it at another separator; numbers without."""
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerows([map(cell, row) for row in rows])
    return file.getvalue()
