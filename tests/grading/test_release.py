"""Exercises, and the zip that a class receives, are made from solutions and hold no answers; nbgrader opens them."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbgrader import nbgraderformat
from nbgrader.apps import NbGraderAPI
from nbgrader.validator import Validator
from traitlets.config import Config

from vla_course.errors import CourseError
from vla_course.grading.cells import BEGIN, END, read_solution
from vla_course.grading.release import bundle, check_release, release
from vla_course.notebooks import check_notebooks, run_notebooks, solutions

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "course"
WEEK99 = HERE / "solutions" / "week99_vectors.ipynb"


@pytest.fixture
def course(tmp_path) -> Path:
    """A course of one solution, released."""
    shutil.copytree(WEEK99.parent, tmp_path / "solutions")
    release(tmp_path)
    return tmp_path


def exercise(course: Path) -> Path:
    return course / "exercises" / WEEK99.name


def cells(path: Path) -> dict[str, nbformat.NotebookNode]:
    return {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}


# ------------------------------------------------------------------------------------------------------- exercises


def test_an_exercise_is_its_solution_without_answers_and_probes(course):
    before, after = cells(WEEK99), cells(exercise(course))
    assert [name for name in before if "-probe" not in name] == list(after)
    for name, cell in after.items():
        if name.endswith("-answer"):
            task = name.removesuffix("-answer")
            assert f'    raise NotImplementedError("{task}: write your answer here")' in cell.source
            assert BEGIN not in cell.source and cell.source.startswith("def ")
            assert cell.metadata == before[name].metadata
        else:
            assert cell.source == before[name].source
        if name.endswith("-check"):
            assert cell.metadata.nbgrader == before[name].metadata.nbgrader and cell.metadata.nbgrader.points > 0
            assert cell.outputs == before[name].outputs and cell.execution_count
            assert cell.metadata.vla_course.expected == cell.outputs[0].text
            assert cell.metadata.jupyter.source_hidden
        elif cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None
    assert "exercises/week99_vectors.ipynb" in after["badges"].source
    assert after["plan-check"].metadata.vla_course.measure == before["plan-check"].metadata.vla_course.measure


def test_the_same_solution_gives_the_same_bytes(course, tmp_path_factory):
    first = exercise(course).read_bytes()
    assert release(course) == [exercise(course)]
    other = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(WEEK99.parent, other / "solutions")
    release(other)
    assert exercise(course).read_bytes() == exercise(other).read_bytes() == first
    check_release(course)


def of(name):
    return lambda notebook: next(cell for cell in notebook.cells if cell.id == name)


def change(**edits):
    """A drift: `edits` of the cell `name`."""

    def drift(notebook):
        name = edits["name"]
        cell = of(name)(notebook)
        for key, value in edits.items():
            if key == "remove":
                notebook.cells.remove(cell)
            elif key == "add":
                notebook.cells.append(nbformat.v4.new_markdown_cell("mine", id=value))
            elif key != "name":
                cell[key] = value
        return notebook

    return drift


def swap(notebook):
    notebook.cells[6], notebook.cells[7] = notebook.cells[7], notebook.cells[6]
    return notebook


def limits(notebook):
    notebook.metadata.vla_course.limits.cell_seconds = 7
    return notebook


@pytest.mark.parametrize(
    ("drift", "says"),
    [
        (change(name="interval-answer", source="def wilson(): ..."), "cell 'interval-answer' has another source"),
        (change(name="interval", source="# Easier"), "cell 'interval' has another source"),
        (change(name="plan-check", metadata={}), "cell 'plan-check' has another metadata"),
        (change(name="plan-check", outputs=[]), "cell 'plan-check' has another outputs"),
        (change(name="scenes", execution_count=3), "cell 'scenes' has another execution_count"),
        (change(name="scenes", remove=True), "cell 'scenes' is missing"),
        (change(name="scenes", add="my-cell"), "cell 'my-cell' is too many"),
        (swap, "cell 'mean-speed-check' stands elsewhere|cell 'clip-step' stands elsewhere"),
        (limits, "its own metadata or layout differs"),
    ],
)
def test_any_drift_is_named(drift, says, course):
    nbformat.write(drift(nbformat.read(exercise(course), as_version=4)), exercise(course))
    with pytest.raises(CourseError, match=f"exercises/week99_vectors.ipynb: ({says}); change the solution"):
        check_release(course)
    release(course)
    check_release(course)


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"cells": 3}', "no json", "\xff"])
def test_an_exercise_that_is_gone_or_broken_is_named(content, course):
    exercise(course).unlink()
    if content is not None:
        exercise(course).write_text(content, encoding="latin-1")
    with pytest.raises(CourseError, match="week99_vectors.ipynb: (missing|not a notebook)"):
        check_release(course)


def test_an_exercise_without_a_solution_is_named_and_removed(course):
    orphan = course / "exercises" / "week98_gone.ipynb"
    shutil.copy(exercise(course), orphan)
    (course / "exercises" / "conftest.py").write_text("")
    with pytest.raises(CourseError, match="week98_gone.ipynb: has no solution"):
        check_release(course)
    release(course)
    assert sorted(path.name for path in orphan.parent.iterdir()) == ["conftest.py", WEEK99.name]


def test_a_class_that_has_no_solutions_keeps_its_exercises(course):
    shutil.rmtree(course / "solutions")
    for work in (release, check_release):
        with pytest.raises(CourseError, match="in the instructor's checkout"):
            work(course)
    assert exercise(course).exists()


def test_a_check_that_printed_nothing_is_refused(course):
    path = course / "solutions" / WEEK99.name
    notebook = nbformat.read(path, as_version=4)
    of("interval-check")(notebook).outputs = []
    nbformat.write(notebook, path)
    with pytest.raises(CourseError, match="cell 'interval-check': a check prints"):
        release(course)


def test_week99_is_as_its_script_writes_it():
    spec = importlib.util.spec_from_file_location("make_week99", HERE / "make_week99.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stored = cells(WEEK99)
    assert [cell.id for cell in module.CELLS] == list(stored)
    for cell in module.CELLS:
        assert cell.id in ("badges", "setup") or cell.source == stored[cell.id].source
        assert json.dumps(cell.metadata, sort_keys=True) == json.dumps(stored[cell.id].metadata, sort_keys=True)


# --------------------------------------------------------------------------------------------------------- nbgrader


def test_nbgrader_reads_and_validates_exercises(course):
    notebook = nbgraderformat.read(exercise(course), as_version=4)
    assert sum(cell.metadata.nbgrader.points for cell in notebook.cells if cell.id.endswith("-check")) == 10
    answers, filled = cells(WEEK99), exercise(course).with_name("filled.ipynb")
    for cell in notebook.cells:
        if cell.id.endswith("-answer") and cell.id != "interval-answer":
            cell.source = answers[cell.id].source
    nbgraderformat.write(notebook, filled)
    failed = Validator().validate(str(filled))["failed"]
    assert ["wilson(8, 10)" in cell["source"] for cell in failed] == [True]
    assert "interval: write your answer here" in failed[0]["raw_error"]
    of("interval-answer")(notebook).source = answers["interval-answer"].source
    nbgraderformat.write(notebook, filled)
    assert Validator().validate(str(filled)) == {}


def test_nbgrader_reports_each_unwritten_task(course):
    failed = Validator().validate(str(exercise(course)))["failed"]
    assert ["write your answer here" in cell["raw_error"] for cell in failed] == [True] * 4


@pytest.mark.parametrize("kind", ["solutions", "exercises"])
def test_nbgrader_generates_an_assignment_from_solutions_and_from_exercises(kind, course, monkeypatch):
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)  # nbgrader calls alembic
    monkeypatch.chdir(course)
    config = Config({"CourseDirectory": {"root": str(course), "source_directory": "source"}})
    (course / "source" / "week99").mkdir(parents=True)
    shutil.copy(course / kind / WEEK99.name, course / "source" / "week99")
    result = NbGraderAPI(config=config).generate_assignment("week99")
    assert result["success"], result
    released = cells(course / "release" / "week99" / WEEK99.name)
    marked = [cell for cell in released.values() if "nbgrader" in cell.metadata]
    assert len(marked) == 8 and sum(cell.metadata.nbgrader.get("points", 0) for cell in marked) == 10
    assert "raise NotImplementedError" in released["plan-answer"].source and BEGIN not in released["plan-answer"].source


# ---------------------------------------------------------------------------------------------------------- bundle


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(course) -> Path:
    """The course as a git checkout, with files around it."""
    for name, content in {
        "Makefile": "lab:\n",
        "vla_course/checks.py": "x = 1\n",
        "tests/wrong_answers/week99_vectors/plan/a.py": "# says: no\n",
        "tests/test_a.py": "",
        "submissions/ann/week99_vectors.ipynb": "{}",
        "grades/report.html": "",
        "exercises/conftest.py": "",
        "postBuild": "#!/bin/sh\n",
    }.items():
        (course / name).parent.mkdir(parents=True, exist_ok=True)
        (course / name).write_text(content)
    (course / "postBuild").chmod(0o755)
    git(course, "init", "-q")
    git(course, "add", ".")
    (course / "notes.txt").write_text("not tracked")
    return course


def test_a_class_receives_what_git_tracks_but_no_answers_and_no_grades(checkout, tmp_path):
    bundle(checkout, tmp_path / "out" / "student.zip")
    with zipfile.ZipFile(tmp_path / "out" / "student.zip") as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
        assert archive.read("vla-course/exercises/week99_vectors.ipynb") == exercise(checkout).read_bytes()
    inside = [
        "Makefile",
        "exercises/conftest.py",
        "exercises/week99_vectors.ipynb",
        "postBuild",
        "vla_course/checks.py",
    ]
    assert list(modes) == [f"vla-course/{name}" for name in inside]
    assert modes["vla-course/postBuild"] == 0o100755 and modes["vla-course/Makefile"] == 0o100644


def test_the_same_files_give_the_same_zip(checkout, tmp_path):
    bundle(checkout, tmp_path / "first.zip")
    os.utime(checkout / "Makefile", (0, 0))
    bundle(checkout, tmp_path / "second.zip")
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_an_unsound_checkout_gives_no_zip(checkout, tmp_path):
    target = tmp_path / "student.zip"

    def refused(because: str) -> None:
        with pytest.raises(CourseError, match=because):
            bundle(checkout, target)
        assert not target.exists()

    (checkout / "Makefile").unlink()
    refused('Makefile: tracked by git, but no file here; run "git restore Makefile"')
    (checkout / "Makefile").symlink_to(checkout / "solutions" / WEEK99.name)
    refused("Makefile: tracked by git, but no file here")
    git(checkout, "restore", "Makefile")
    git(checkout, "rm", "--cached", "exercises/week99_vectors.ipynb")
    refused('exercises/week99_vectors.ipynb: not tracked by git; run "git add exercises"')
    exercise(checkout).write_text("{}")
    refused("change the solution, not the exercise")
    release(checkout)
    shutil.rmtree(checkout / ".git")
    refused("git lists no files here")


def flat(text: str) -> str:
    """Text without blanks at the ends of its lines, and without empty lines."""
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def secrets(path: Path) -> dict[str, str]:
    """The solution regions and the probes of a solution."""
    found = {}
    for task in read_solution(path).tasks:
        lines = [line.strip() for line in task.answer.source.splitlines()]
        for number, start in enumerate(i for i, line in enumerate(lines) if line == BEGIN):
            found[f"{task.name}, region {number}"] = flat("\n".join(lines[start + 1 : lines.index(END, start)]))
        for probe in task.probes:
            found[probe.id] = flat(probe.source.split("\n", 1)[1])
    return found


def readable(name: str, content: bytes) -> str:
    """A file's text; of a notebook, the sources of its cells and what they show."""
    if name.endswith(".ipynb"):
        notebook = nbformat.reads(content.decode(), as_version=4)
        return flat("\n".join(cell.source + "\n" + str(cell.get("outputs", "")) for cell in notebook.cells))
    return flat(content.decode(errors="replace"))


def leaks(archive: Path, solved: list[Path]) -> list[tuple[str, str]]:
    with zipfile.ZipFile(archive) as opened:
        texts = {name: readable(name, opened.read(name)) for name in opened.namelist()}
    hidden = [(f"{path.stem}: {what}", text) for path in solved for what, text in secrets(path).items()]
    assert hidden and all(hidden)
    return [(name, what) for name, text in texts.items() for what, secret in hidden if secret in text]


def test_a_leak_would_be_found(checkout, tmp_path):
    regions = secrets(WEEK99)
    assert len(regions) == 7
    (checkout / "vla_course" / "checks.py").write_text(textwrap.indent(regions["plan, region 0"], "        "))
    (checkout / "Makefile").write_text(f"all:\n{regions['interval-probe']}\n")
    bundle(checkout, tmp_path / "student.zip")
    assert leaks(tmp_path / "student.zip", [WEEK99]) == [
        ("vla-course/Makefile", "week99_vectors: interval-probe"),
        ("vla-course/vla_course/checks.py", "week99_vectors: plan, region 0"),
    ]


def test_what_a_class_receives_of_this_course_holds_no_answer_and_no_probe(tmp_path):
    bundle(ROOT, tmp_path / "student.zip")
    assert leaks(tmp_path / "student.zip", [*solutions(ROOT), WEEK99]) == []


# ------------------------------------------------------------------------------------------- running the solutions


def test_solutions_run_from_an_empty_folder_at_scale_ci_with_badges_of_the_exercise(tmp_path, monkeypatch):
    monkeypatch.setenv("VLA_COURSE_SCALE", "full")
    (tmp_path / "pyproject.toml").write_text('[project.urls]\nRepository = "https://github.com/ann/robots"\n')
    look = "import os, warnings\nprint(sorted(os.listdir()), os.environ['VLA_COURSE_SCALE'])\nwarnings.warn('here')"
    for folder in ("notebooks", "solutions"):
        (tmp_path / folder).mkdir()
        code = [nbformat.v4.new_code_cell("", id="setup"), nbformat.v4.new_code_cell(look, id="look")]
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("", id="badges"), *code])
        notebook.metadata = {"vla_course": {"limits": {"cell_seconds": 5}}, "editor": "mine"}
        nbformat.write(notebook, tmp_path / folder / "week97_look.ipynb")
    with pytest.raises(CourseError, match="badges or set-up cell are out of date"):
        check_notebooks(tmp_path)
    run_notebooks(tmp_path)
    check_notebooks(tmp_path)
    lesson, solution = (tmp_path / folder / "week97_look.ipynb" for folder in ("notebooks", "solutions"))
    assert [output.text for output in cells(lesson)["look"].outputs] == ["['week97_look.ipynb'] full\n"]
    assert [output.text for output in cells(solution)["look"].outputs] == ["[] ci\n"]
    assert "ann/robots/blob/main/notebooks/week97_look.ipynb" in cells(lesson)["badges"].source
    assert "ann/robots/HEAD?labpath=exercises/week97_look.ipynb" in cells(solution)["badges"].source
    stored = nbformat.read(solution, as_version=4)
    assert stored.metadata.vla_course.limits.cell_seconds == 5 and "editor" not in stored.metadata
    of("look")(stored).source = "1 / 0"
    nbformat.write(stored, solution)
    with pytest.raises(CourseError, match="week97_look.ipynb: ZeroDivisionError: division by zero; mend the cell"):
        run_notebooks(tmp_path)
