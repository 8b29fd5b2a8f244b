"""Whatever a student is called, writes or prints is text in every file, and each file is what its reader expects."""

import base64
import csv
import hashlib
import html
import io
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from vla_course.grading.exports import (
    canvas_csv,
    classroom,
    grades_csv,
    gradescope,
    junit_xml,
    moodle_csv,
    write_exports,
)
from vla_course.grading.marks import Late, Mark, final_marks, slug
from vla_course.grading.report import MOST_LINES, side_by_side, write_reports
from vla_course.grading.results import CellResult, SubmissionResult, TaskResult
from vla_course.grading.similarity import Pair
from vla_course.grading.text import cell, one_line, shown

HOSTILE = [
    '=HYPERLINK("http://x","y")',
    "<script>alert(1)</script>",
    "</style></title></textarea><img src=x onerror=alert(1)>",
    "\"' onmouseover=alert(1) x='",
    "../../etc/passwd",
    "\x1b[31mred\x1b]0;title\x07",
    "invoice\u202egpj.exe",
    "N" * 300,
    "two\nlines\r\n::error::x",
    "\ud800half",
    "\x00\x08\uffff]]>",
    "{{ 7 * 7 }}{% raw %}",
    "    Points Possible",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    " =1",
    "a;=1+1;b",
    "##[set-output name=x]y",
    "مريم الصالح",
]
ABOUT = {"title": "week08_x", "seed": 7, "sandbox": "bubblewrap", "date": "2026-11-21", "late": ""}
texts = st.one_of(
    st.sampled_from(HOSTILE), st.text(min_size=1), st.text("<>\"'&=+-@\t\r\n:#[]{}%\x1b\u202e\ud800;,", min_size=1)
)


def mark_of(student: str, text: str = "x", sandbox: str = "bubblewrap", late: Late = Late()) -> Mark:  # noqa: B008
    """A mark with `text` wherever a student has a say."""
    cells = [
        CellResult("loss-check", "check", True, "1", text),
        CellResult("loss-probe", "probe", False, "0.5", text.replace("\n", " ") or "x", "reason: " + text),
    ]
    tasks = [
        TaskResult("loss", "The loss", 0, 2, "answer = " + text, cells),
        TaskResult("step", "A step", 3, 3, "", [CellResult("step-check", "check", True, "1", "1")]),
        TaskResult(
            "plan", "A plan", 1.25, 5, "y", [CellResult("plan-measure", "measure", False, "45 of 50", text, "few")]
        ),
    ]
    result = SubmissionResult(
        student,
        "week08_x",
        "k",
        7,
        sandbox,
        "2026-11-21T00:00:00+00:00",
        "end: " + text,
        ["warning: " + text],
        12.3,
        tasks,
    )
    return final_marks([result], late, {student: (-0.5, "by hand: " + text)})[0]


def write(folder: Path, marks: list[Mark], **about) -> tuple[BeautifulSoup, list[BeautifulSoup]]:
    """The overview and the feedback pages, parsed."""
    first, last = marks[0].student, marks[-1].student
    write_reports(folder, marks, [Pair(first, last, 0.9, 40, ("loss",))], ABOUT | about)
    pages = [folder / "report.html", *(folder / "feedback" / f"{mark.slug}.html" for mark in marks)]
    overview, *feedback = (BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser") for page in pages)
    return overview, feedback


def skeleton(page: BeautifulSoup) -> list[tuple[str, tuple[str, ...]]]:
    """The elements of a page with the names of their attributes: all that a browser acts on."""
    return [(element.name, tuple(sorted(element.attrs))) for element in page.find_all(True)]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def tame(scratch) -> list[list]:
    overview, feedback = write(scratch / "tame", [mark_of("Ana", "x")])
    return [skeleton(page) for page in (overview, *feedback)]


@given(texts, texts)
@settings(max_examples=60, deadline=None)
def test_no_text_becomes_an_element_or_an_attribute(scratch, tame, student, text):
    overview, feedback = write(scratch, [mark_of(student, text)])
    assert [skeleton(page) for page in (overview, *feedback)] == tame


def test_hostile_names_are_shown_as_they_are_written(tmp_path):
    marks = [mark_of(student, student) for student in HOSTILE]
    overview, feedback = write(tmp_path, marks)
    for page, mark in zip(feedback, marks, strict=True):
        assert one_line(mark.student) in page.find("bdi").text
        assert "answer = " + shown(mark.student) in page.find("code").text.replace("\r", "")
    for page in (overview, *feedback):
        assert not page.find_all(["script", "img", "iframe", "object", "embed", "form", "link", "base"])
        assert not [a for element in page.find_all(True) for a in element.attrs if a.startswith("on") or a == "style"]
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", str(page))
    links = [anchor["href"] for anchor in overview.find_all("a")]
    assert set(links) == {f"feedback/{mark.slug}.html" for mark in marks}
    assert all((tmp_path / link).resolve().parent == (tmp_path / "feedback").resolve() for link in links)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["feedback", "report.html"]


def test_pages_load_nothing_and_run_nothing(tmp_path):
    for page in (lambda pages: [pages[0], *pages[1]])(write(tmp_path, [mark_of("Ana")])):
        policy = page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
        style = base64.b64encode(hashlib.sha256(page.find("style").string.encode()).digest()).decode()
        assert policy == f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'"
        assert not page.find_all(src=True)
        assert "url(" not in page.find("style").string and "@import" not in page.find("style").string
        assert not [anchor for anchor in page.find_all(href=True) if re.match(r"\w+:|//", anchor["href"])]


def test_pages_can_be_read_by_everybody(tmp_path):
    overview, (feedback,) = write(tmp_path, [mark_of("Ana")])
    for page in (overview, feedback):
        assert page.html["lang"] == "en" and page.title.text.strip()
        assert len(page.find_all("h1")) == 1
        for table in page.find_all("table"):
            headers = [th for th in table.thead.find_all("th") if not th.get("aria-hidden")]
            assert headers and all(th["scope"] == "col" for th in headers)
        assert all(th.get("scope") for th in page.find_all("th") if not th.get("aria-hidden"))
    words = [row.td.text for row in feedback.tbody.find_all("tr")]
    assert words == ["✗failed", "✓passed", "◐partly"]
    differs = feedback.find("tr", class_="differs")
    assert "≠" in differs.text and "differs" in differs.text


def test_the_overview_counts(tmp_path):
    marks = [mark_of(f"student {i}") for i in range(20)]
    for mark in marks[:17]:
        mark.result.tasks[0].points = 2
    overview, _ = write(tmp_path, marks)
    rows = {row.th.text: [td.text for td in row.find_all("td")] for row in overview.find_all("tr") if row.th}
    assert rows["The loss"][1:3] == ["17 of 20", "64–95%"]  # Wilson's interval, as in test_evaluation.py
    assert rows["A plan"][1:3] == ["0 of 20", "0–16%"]
    assert "few" in rows["A plan"][4] and "20×" in rows["A plan"][4]
    assert rows["30–40%"][0] == "20" and rows["90–100%"][0] == "0"
    hardest = [
        row.th.text for row in overview.find(string=re.compile("^Tasks, the hardest")).find_next("tbody").find_all("tr")
    ]
    assert hardest == ["A plan", "The loss", "A step"]
    assert "changes no points" in overview.text and "90%" in overview.text


def test_feedback_says_all_that_a_student_must_know(tmp_path):
    late = Late(datetime(2026, 11, 20, 12, tzinfo=UTC), 10)
    _, (page,) = write(tmp_path, [mark_of("Ana", "0.75", late=late)])
    words = " ".join(page.get_text(" ").split())
    assert "3.33 of 10 points" in words  # 4.25, a tenth off, half a point off
    assert "Late penalty 1 started day late, 10% of the points earned -0.42" in words
    assert "Changed by your instructor by hand: 0.75 -0.5" in words
    assert "The run was ended early end: 0.75" in words
    assert "warning: 0.75" in words
    assert "failed, 0 of 2 points: reason: 0.75" in words
    assert "answer = 0.75" in words
    assert "expected got 0.5 ≠ differs 0.75" in words
    assert "asked for 45 of 50 reached 0.75" in words


def test_a_missing_sandbox_is_said_everywhere(tmp_path):
    safe, unsafe = mark_of("safe"), mark_of("unsafe", sandbox="none")
    overview, (first, second) = write(tmp_path, [safe, unsafe])
    assert "1 of 2 submissions ran with the rights" in " ".join(overview.find(class_="alarm").text.split())
    assert "without a sandbox" in second.text and "without a sandbox" not in first.text
    overview, _ = write(tmp_path, [safe])
    assert "without a sandbox" not in overview.text
    overview, _ = write(tmp_path, [safe], sandbox="none")
    assert "without a sandbox" in overview.text
    assert "Graded without a sandbox" in gradescope(unsafe)["output"]
    assert "Graded without a sandbox" in moodle_csv([unsafe])


def test_an_empty_class_is_reported_too(tmp_path):
    write_reports(tmp_path, [], [], ABOUT)
    write_exports(tmp_path, [], "week08")
    assert "Submissions0" in (tmp_path / "report.html").read_text().replace("</dt><dd>", "")
    assert ElementTree.parse(tmp_path / "junit.xml").getroot().findall("testsuite") == []


def test_lines_are_compared_as_the_grader_compares_them():
    rows, left_out = side_by_side("loss: 0.4125\nshape (2, 7)\ndone\n", "loss: 0.41249\nextra\nshape (3, 7)\ndone\n")
    assert [(row.expected, row.got, row.same) for row in rows] == [
        ("loss: 0.4125", "loss: 0.41249", True),
        ("shape (2, 7)", "extra", False),
        (None, "shape (3, 7)", False),
        ("done", "done", True),
    ]
    assert left_out == ""


def test_the_first_difference_is_shown_however_late_it_comes():
    lines = [f"line {i}" for i in range(1000)]
    got = [*lines[:700], "wrong", *lines[701:]]
    rows, left_out = side_by_side("\n".join(lines), "\n".join(got))
    assert [row.got for row in rows if not row.same] == ["wrong"]
    assert len(rows) == MOST_LINES
    assert "first 697 lines" in left_out and "223 more lines" in left_out


@pytest.mark.parametrize("flood", ["x\n" * 500_000, "<b>" * 300_000, "0.1" * 300_000, "\x1b[31m" * 200_000])
def test_a_flood_of_output_gives_a_page_of_a_sane_size(tmp_path, flood):
    mark = mark_of("Ana", flood)
    write(tmp_path, [mark])
    write_exports(tmp_path, [mark], "week08")
    mark.result.tasks[0].answer = ""  # limited where it is read in
    write(tmp_path, [mark])
    assert (tmp_path / "feedback" / f"{mark.slug}.html").stat().st_size < 300_000
    assert (tmp_path / "junit.xml").stat().st_size < 100_000
    assert len((tmp_path / "classroom" / f"{mark.slug}.env").read_text()) < 100_000  # Linux takes 128 KB


@given(st.lists(st.tuples(texts, st.floats(-1e6, 1e6)), min_size=1, max_size=4))
def test_no_cell_of_a_spreadsheet_is_a_formula(rows):
    marks = [mark_of(student, student) for student, _ in rows]
    for written in (grades_csv(marks), canvas_csv(marks, "week08"), moodle_csv(marks)):
        table = list(csv.reader(io.StringIO(written, newline=""), strict=True))
        assert len({len(row) for row in table}) == 1
        assert len(written.splitlines()) == len(table)  # no cell breaks a line
        for row in table:
            for value in row:
                assert not value.lstrip().startswith(tuple("=+-@＝＋－＠")) or re.fullmatch(r"-?[0-9.]+", value)
        for line in written.splitlines()[1:]:
            unquoted = re.sub('"(?:[^"]|"")*"', "", line)
            assert re.fullmatch(r"[-0-9.,e]*", unquoted)  # whatever a spreadsheet takes for a separator: only numbers


def test_numbers_stay_numbers_and_texts_stay_what_they_are():
    assert [cell(value) for value in (-1.5, 2.0, 3, 0.1 + 0.2)] == [-1.5, 2, 3, 0.3]
    assert cell("-1.5") == "'-1.5"
    assert cell('Zoë O\'Neil, "x"') == 'Zoë O\'Neil, "x"'
    mark = mark_of("=SUM(1)")
    (row,) = csv.DictReader(io.StringIO(grades_csv([mark])))
    assert (row["student"], row["slug"], row["reason"]) == ("'=SUM(1)", slug("=SUM(1)"), "by hand: x")
    assert [float(row[name]) for name in ("loss", "step", "plan", "points", "adjustment", "total", "maximum")] == [
        *(0, 3, 1.25, 4.25, -0.5, 3.75, 10)
    ]


def test_canvas_reads_one_row_of_maximum_points():
    marks = [mark_of("Ana Smith"), mark_of("ana.smith"), mark_of("x Points Possible")]
    rows = list(csv.reader(io.StringIO(canvas_csv(marks, "week08"))))
    assert rows[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "week08"]
    assert [row for row in rows[1:] if "Points Possible" in row[0]] == [["    Points Possible", "", "", "", "", "10"]]
    assert rows[2] == ["Ana Smith", "", "", "", "", "3.75"]
    assert rows[3] == ["ana.smith", "", "", "ana.smith", "", "3.75"]


def test_moodle_finds_its_participants():
    marks = [mark_of("Ana_Maria Smith_123", "<img src=x> & y"), mark_of("ana@uni.edu")]
    first, second = csv.DictReader(io.StringIO(moodle_csv(marks)))
    assert {"Identifier", "Grade", "Last modified (grade)", "Feedback comments"} <= set(
        first
    )  # what its importer needs
    assert (first["Identifier"], first["Full name"], first["Grade"]) == ("Participant 123", "Ana_Maria Smith", "3.75")
    assert (second["Identifier"], second["Email address"]) == ("", "ana@uni.edu")
    assert "<" not in first["Feedback comments"]
    assert "reason: <img src=x> & y" in html.unescape(first["Feedback comments"])


@given(texts, texts)
def test_junit_says_the_same_to_an_xml_parser(student, text):
    root = ElementTree.fromstring(junit_xml([mark_of(student, text)]).encode())
    (suite,) = root.findall("testsuite")
    assert suite.get("name") == one_line(student)
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    assert list(cases) == ["loss", "step", "plan"]
    assert cases["step"].find("failure") is None
    assert cases["loss"].find("failure").get("message") == "0 of 2 points: " + one_line("reason: " + text)
    assert [element.tag for element in root.iter()].count("failure") == 2


def test_gradescope_gets_its_results(tmp_path):
    mark = mark_of("<b>", "<script>\ud800")
    write_exports(tmp_path, [mark], "week08")
    data = json.loads((tmp_path / "gradescope" / f"{mark.slug}.json").read_text())
    assert (data["score"], data["execution_time"], data["visibility"]) == (3.75, 12, "visible")
    assert {data[f"{name}output_format"] for name in ("", "test_")} | {data["test_name_format"]} == {"text"}
    assert [(t["name"], t["score"], t["max_score"], t["status"]) for t in data["tests"]] == [
        ("The loss", 0, 2, "failed"),
        ("A step", 3, 3, "passed"),
        ("A plan", 1.25, 5, "failed"),
    ]
    assert "expected (loss-probe):\n0.5\ngot (loss-probe):\n<script>" in data["tests"][0]["output"]


@given(texts)
@settings(deadline=None)
def test_github_classroom_reads_the_total_and_obeys_no_text(scratch, text):
    mark = mark_of(text, text, late=Late(datetime(2026, 11, 20, 12, tzinfo=UTC), 10))
    write_exports(scratch, [mark], "week08")
    line = (scratch / "classroom" / f"{mark.slug}.env").read_text()
    name, _, encoded = line.strip().partition("=")
    assert name == "WEEK08X_RESULTS" and line.count("\n") == 1
    data = json.loads(base64.b64decode(encoded, validate=True))
    assert data == classroom(mark) == json.loads((scratch / "classroom" / f"{mark.slug}.json").read_text())
    assert (data["status"], data["max_score"]) == ("error", 10)
    assert sum(test["score"] for test in data["tests"]) == pytest.approx(mark.total)
    for test in data["tests"]:
        for said in (test["name"], test["message"]):
            assert "\n" not in said and "##[" not in said and not said.lstrip().startswith("::") and "\x1b" not in said


def test_files_are_the_same_each_time_and_nothing_else_is_left(tmp_path):
    marks = [mark_of(student) for student in HOSTILE]
    for folder in ("one", "two"):
        write(tmp_path / folder, marks)
        write_exports(tmp_path / folder, marks, "week08")
    one, two = (
        {p.relative_to(tmp_path / f): p.read_bytes() for p in (tmp_path / f).rglob("*.*")} for f in ("one", "two")
    )
    assert one == two
    assert len(one) == 5 + 4 * len(HOSTILE)


def test_importing_the_reports_loads_nothing_heavy():
    code = (
        "import sys, vla_course.grading.report, vla_course.grading.exports;"
        "print({'torch', 'pybullet', 'scipy', 'matplotlib'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
