"""What was handed in is found in every layout, and read as data."""

import json
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_course.errors import CourseError
from vla_course.grading.submissions import LARGEST_ANSWER, Submission, find_submissions, read_answers

NAME, TASKS = "week07_parts", ["one", "two"]
KNOWN = {"title", "one", "one-answer", "one-check", "two", "two-answer", "two-check"}


def notebook(**answers: str) -> str:
    cells = [{"cell_type": "markdown", "id": "title", "source": "# Parts"}]
    for task, source in answers.items():
        cells.append({"cell_type": "code", "id": f"{task}-answer", "source": source.splitlines(keepends=True)})
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def find(where: Path) -> dict[str, Submission]:
    return {found.student: found for found in find_submissions(where, NAME, TASKS, KNOWN)}


LAYOUTS = {
    "plain": ("ada/{name}.ipynb", "ada"),
    "renamed by the browser": ("ada/{name} (1).ipynb", "ada"),
    "nbgrader": ("ada/parts/{name}.ipynb", "ada"),
    "Moodle": ("Ada Lovelace_4711_assignsubmission_file_/{name}.ipynb", "Ada Lovelace_4711"),
    "Canvas": ("lovelaceada_LATE_123_456_{name}.ipynb", "lovelaceada"),
    "flat": ("ada_{name}.ipynb", "ada"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["folder", "zip", "zip with a folder around it"])
def test_every_layout_is_understood(layout, kind, tmp_path):
    template, student = LAYOUTS[layout]
    files = {template.format(name=NAME): notebook(one="1", two="2"), "bob/other/notes.txt": "nothing"}
    if kind == "folder":
        where = tmp_path / "in"
        for name, text in files.items():
            put(where / name, text)
    else:
        where = tmp_path / "in.zip"
        around = "class-of-2026/" if "around" in kind else ""
        if around and len(Path(template).parts) == 1:
            pytest.skip("a flat archive has no folder around it")
        with zipfile.ZipFile(where, "w") as archive:
            for name, text in files.items():
                archive.writestr(around + name, text)
    found = find(where)
    assert found[student].answers == {"one": "1", "two": "2"} and not found[student].problem
    assert "no notebook" in found["bob"].problem


def test_a_damaged_archive_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.writestr(f"ada/{NAME}.ipynb", notebook(one="1", two="2"))
    content = (tmp_path / "in.zip").read_bytes()
    (tmp_path / "in.zip").write_bytes(content.replace(b"PK\x01\x02", b"PK\x01\x03"))
    with pytest.raises(CourseError, match="in.zip: a damaged zip file"):
        find(tmp_path / "in.zip")


def test_the_time_is_that_of_the_file_or_of_nbgraders_stamp(tmp_path):
    put(tmp_path / "ada" / f"{NAME}.ipynb", notebook(one="1", two="2"))
    os.utime(tmp_path / "ada" / f"{NAME}.ipynb", (1e9, 1e9))
    put(tmp_path / "bob/parts" / f"{NAME}.ipynb", notebook(one="1", two="2"))
    put(tmp_path / "bob/parts/timestamp.txt", "2026-03-01 12:30:00.123456 UTC")
    put(tmp_path / "eve" / f"{NAME}.ipynb", notebook(one="1", two="2"))
    put(tmp_path / "eve/timestamp.txt", "1999-01-01 00:00:00 UTC")  # her own invention: not nbgrader's tree
    found = find(tmp_path)
    assert datetime.fromisoformat(found["ada"].submitted_at) == datetime.fromtimestamp(1e9, UTC)
    assert datetime.fromisoformat(found["bob"].submitted_at) == datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    assert datetime.fromisoformat(found["eve"].submitted_at).year > 2020


def test_the_newest_of_several_counts_and_it_is_said(tmp_path):
    put(tmp_path / "ada" / f"{NAME} (1).ipynb", notebook(one="new"))
    put(tmp_path / "ada" / f"{NAME} (2).ipynb", notebook(one="old"))
    os.utime(tmp_path / "ada" / f"{NAME} (2).ipynb", (1, 1))
    found = find(tmp_path)["ada"]
    assert found.answers["one"] == "new" and "2 notebooks" in found.warnings[0]


def test_a_cell_is_known_by_nbgraders_name_where_a_tool_has_given_it_another_id(tmp_path):
    cell = {"cell_type": "code", "id": "ab12", "source": "1", "metadata": {"nbgrader": {"grade_id": "one-answer"}}}
    put(tmp_path / "ada" / f"{NAME}.ipynb", json.dumps({"cells": [cell]}))
    assert find(tmp_path)["ada"].answers == {"one": "1"}


def test_links_pipes_and_oversized_cells_are_not_read(tmp_path):
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / f"{NAME}.ipynb").symlink_to("/etc/hostname")
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / f"{NAME}.ipynb")
    put(tmp_path / "long" / f"{NAME}.ipynb", notebook(one="x" * (LARGEST_ANSWER + 1), two="2"))
    (tmp_path / "linked_folder").symlink_to(tmp_path / "link")
    put(tmp_path / ".DS_Store", "a file manager's")
    put(tmp_path / "gradebook.csv", "a list beside the submissions")
    found = find(tmp_path)
    assert set(found) == {"link", "pipe", "long", "linked_folder"}
    assert "is a link" in found["linked_folder"].problem
    assert "is a link" in found["link"].problem and "is a link" in found["pipe"].problem
    assert found["long"].answers == {"two": "2"} and "longer than" in found["long"].warnings[0]


def test_one_broken_entry_of_an_archive_does_not_stop_the_class(tmp_path):
    where = tmp_path / "in.zip"
    with zipfile.ZipFile(where, "w", zipfile.ZIP_DEFLATED) as archive:
        for student in ("ada", "bob", "eve"):
            archive.writestr(f"{student}/parts/{NAME}.ipynb", notebook(one="1", two=student * 50))
        archive.writestr("bob/parts/timestamp.txt", "2026-03-01 12:30:00 UTC " + "x" * 50)
        archive.writestr(f"../ada/parts/{NAME}.ipynb", notebook(one="stolen"))
        places = {info.filename: info.header_offset + 30 + len(info.filename) for info in archive.infolist()}
    data = bytearray(where.read_bytes())
    for name in (f"eve/parts/{NAME}.ipynb", "bob/parts/timestamp.txt"):
        data[places[name] : places[name] + 8] = b"\xff" * 8
    where.write_bytes(data)
    found = find(where)
    assert found["ada"].answers == {"one": "1", "two": "ada" * 50} and not found["ada"].problem
    assert "cannot be read" in found["bob"].problem and "cannot be read" in found["eve"].problem
    assert "leads out" in found[f"../ada/parts/{NAME}.ipynb"].problem


def test_an_empty_place_and_a_wrong_one_are_named(tmp_path):
    with pytest.raises(CourseError, match="holds no submission"):
        find(tmp_path)
    (tmp_path / "x.tar").write_text("no zip")
    with pytest.raises(CourseError, match="neither a folder nor a zip"):
        find(tmp_path / "x.tar")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["code", "one-answer", "id"]),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["cells", "id", "source", "metadata", "nbgrader", "grade_id", "cell_type"]) | st.text(), inner
    ),
    max_leaves=20,
)  # fmt: skip


@given(st.binary() | json_values.map(lambda value: json.dumps({"cells": [value, {"cell_type": "code"}]}).encode()))
def test_no_bytes_stop_the_reader(data):
    submission = Submission("eve")
    read_answers(data, TASKS, KNOWN, submission)
    assert submission.problem or set(submission.answers) <= set(TASKS)
    assert all(isinstance(source, str) for source in submission.answers.values())
