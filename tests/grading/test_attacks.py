"""A class of cheats, graded by the command that an instructor types. None gains, none harms, each is told why."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import nbformat
import psutil
import pytest
from attacks import ANSWERS, WRONG

from vla_course.grading.cells import read_solution
from vla_course.grading.marks import slug
from vla_course.grading.release import release

COURSE = Path(__file__).parent / "course"
NAME = "week99_vectors"
PROGRAM = str(Path(sys.executable).with_name("vla-course"))
SECRET = "a-secret-of-the-instructor"
HOSTILE = ['=HYPERLINK("x","1")', "<img src=x onerror=alert(1)>", "\x1b[31mred\x1b[0m", "@SUM(1+1)", "x" * 120]

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("bwrap") is None, reason="the sandbox is bubblewrap, which needs Linux"
)


def command(*words: object, cwd: Path, **more) -> subprocess.CompletedProcess:
    """The grader as an instructor calls it."""
    environment = os.environ | {"INSTRUCTORS_SECRET": SECRET}
    run = [PROGRAM, "grade", *map(str, words)]
    return subprocess.run(run, cwd=cwd, env=environment, capture_output=True, text=True, **more)


def notebook(course: Path, answers: dict[str, str]) -> nbformat.NotebookNode:
    """The exercise as a student hands it in, with the right answers but where `answers` has others."""
    exercise = nbformat.read(course / "exercises" / f"{NAME}.ipynb", as_version=4)
    right = {task.name: task.answer.source for task in read_solution(course / f"solutions/{NAME}.ipynb").tasks}
    for cell in exercise.cells:
        task = cell.id.removesuffix("-answer")
        if task in right and cell.id != task:
            cell.source = answers.get(task, right[task])
    return exercise


def hand_in(folder: Path, exercise: nbformat.NotebookNode) -> None:
    folder.mkdir(parents=True)
    nbformat.write(exercise, folder / f"{NAME}.ipynb")


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """A checkout with one solution and its exercise."""
    root = tmp_path_factory.mktemp("course")
    shutil.copytree(COURSE / "solutions", root / "solutions")
    release(root)
    return root


@pytest.fixture(scope="module")
def graded(course) -> dict:
    """Every attack, handed in at once and graded by one command. Student to result."""
    class_folder, out = course / "submissions", course / "grades"
    server = socket.create_server(("127.0.0.1", 0))
    places = {
        "port": server.getsockname()[1],
        "out": out,
        "solutions": course / "solutions",
        "submissions": class_folder,
    }

    def answer() -> None:  # a server on this machine that knows the answer
        while True:
            try:
                server.accept()[0].send(b"5.0")
            except OSError:
                return

    threading.Thread(target=answer, daemon=True).start()
    for name, (answers, _, _) in ANSWERS.items():
        filled = {}
        for task, source in answers.items():
            for key, value in places.items():
                source = source.replace("{" + key + "}", str(value))
            filled[task] = source
        hand_in(class_folder / name, notebook(course, filled))

    blank = nbformat.read(course / "exercises" / f"{NAME}.ipynb", as_version=4)
    hand_in(class_folder / "blank", blank)

    deleted = notebook(course, {"mean-speed": WRONG})
    deleted.cells = [cell for cell in deleted.cells if not cell.id.endswith("-check")]
    deleted.cells = [cell for cell in deleted.cells if cell.id not in ("interval-answer", "imports")]
    hand_in(class_folder / "deleted_cells", deleted)

    extra = notebook(course, {"mean-speed": WRONG})
    right = next(c for c in notebook(course, {}).cells if c.id == "mean-speed-answer")
    extra.cells += [
        right,
        nbformat.v4.new_code_cell(right.source, id="mine"),
        nbformat.v4.new_code_cell("1/0", id="m2"),
    ]
    hand_in(class_folder / "extra_cells", extra)

    helper = notebook(
        course,
        {"plan": "def plan(target):\n    return np.zeros((5, 7))", "interval": ANSWERS["library"][0]["interval"]},
    )
    hand_in(class_folder / "edited_library", helper)
    package = Path(sys.modules["vla_course"].__file__).parent
    shutil.copytree(
        package, class_folder / "edited_library" / "vla_course", ignore=shutil.ignore_patterns("__pycache__")
    )
    rollouts = class_folder / "edited_library/vla_course/evaluation/rollouts.py"
    rollouts.write_text(rollouts.read_text() + "\n\nclass SuccessRate:\n    rate = 1.0\n")
    for file in ("conftest.py", "sitecustomize.py", "numpy.py"):
        (class_folder / "edited_library" / file).write_text("raise SystemExit('taken over')\n")

    half_a_character = nbformat.writes(notebook(course, {"mean-speed": "HERE"})).replace("HERE", "x = '\\ud800'")
    for name, data in {
        "half_a_character": half_a_character.encode(),
        "malformed": b'{"cells": [',
        "not_a_notebook": b"[1, 2, 3]",
        "not_text": bytes(range(256)) * 40,
        "deep": b"[" * 200_000 + b"]" * 200_000,
        "strange_cells": b'{"cells": [1, null, {"cell_type": "code"}, {"cell_type": "code", "id": 7, "metadata": 3}]}',
    }.items():
        (class_folder / name).mkdir()
        (class_folder / name / f"{NAME}.ipynb").write_bytes(data)
    (class_folder / "link").mkdir()
    (class_folder / "link" / f"{NAME}.ipynb").symlink_to(course / f"solutions/{NAME}.ipynb")
    (class_folder / "linked_folder").symlink_to(course / "solutions", target_is_directory=True)
    for name in HOSTILE:
        hand_in(class_folder / name, notebook(course, {"mean-speed": WRONG}))

    done = command(class_folder, "--week", "99", "--out", out, "--seed", 7, "-j", 2, cwd=course)
    server.close()
    assert done.returncode == 0, done.stderr
    results = [json.loads(path.read_text()) for path in (out / "results").glob("*.json")]
    return {result["student"]: result for result in results} | {"": {"out": out, "printed": done.stdout + done.stderr}}


def points(result: dict) -> float:
    return sum(task["points"] for task in result["tasks"])


def said(result: dict) -> str:
    """All that a result tells the student."""
    return json.dumps(result, ensure_ascii=False)


@pytest.mark.parametrize("name", ANSWERS)
def test_an_attack_earns_what_it_worked_for_and_is_told_why(graded, name):
    _, earned, told = ANSWERS[name]
    assert points(graded[name]) == earned, said(graded[name])
    reasons = " ".join(cell["reason"] for task in graded[name]["tasks"] for cell in task["cells"])
    assert told in reasons + graded[name]["ending"], reasons
    lost = [task for task in graded[name]["tasks"] if task["points"] < task["max_points"]]
    assert all(any(cell["reason"] for cell in task["cells"]) for task in lost)


@pytest.mark.parametrize(
    ("name", "earned", "told"),
    [
        ("blank", 0, "not written yet"),
        ("deleted_cells", 6, "there was no answer cell to grade"),
        ("extra_cells", 8, "two cells mean-speed-answer"),
        ("edited_library", 4, "the library's own implementation"),
        ("malformed", 0, "not a notebook that can be read"),
        ("not_a_notebook", 0, "not a notebook that can be read"),
        ("not_text", 0, "not a notebook that can be read"),
        ("deep", 0, "not a notebook that can be read"),
        ("strange_cells", 0, "is missing"),
        ("half_a_character", 8, "is no text"),
        ("link", 0, "is a link"),
        ("linked_folder", 0, "is a link"),
        *((name, 8, "expected 5.0000") for name in HOSTILE),
    ],
)
def test_a_strange_submission_earns_what_it_worked_for_and_is_told_why(graded, name, earned, told):
    assert points(graded[name]) == earned, said(graded[name])
    assert told in said(graded[name])


def test_nothing_of_the_instructor_is_seen(graded):
    [printed] = [cell["got"] for cell in graded["spy"]["tasks"][0]["cells"] if cell["kind"] == "check"]
    assert "SEEN" in printed and "HOME" in printed
    assert SECRET not in printed and "SOLUTION" not in printed
    assert not any(name in printed for name in ("equal_to_all", "half_a_gigabyte"))  # other submissions


def test_nothing_is_left_behind(graded):
    out = graded[""]["out"]
    assert json.loads((out / "results" / f"{slug('good')}.json").read_text())["student"] == "good"
    assert not (out / "bombed").exists() and not Path("/tmp/bombed").exists()
    alive = psutil.process_iter(["pid", "cmdline"])
    assert not [p.info["pid"] for p in alive if str(out / "work") in " ".join(p.info["cmdline"] or [])]


def test_hostile_names_are_harmless_on_the_terminal(graded):
    assert "\x1b[31m" not in graded[""]["printed"]


def test_an_archive_that_climbs_out(course, tmp_path):
    """Two students: one hands in honestly, the other under a path that leads out."""
    archive, text = tmp_path / "class.zip", nbformat.writes(notebook(course, {}))
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(f"ada/{NAME}.ipynb", text)
        packed.writestr(f"../../../{tmp_path.name}-out/{NAME}.ipynb", text)
        link = zipfile.ZipInfo(f"eve/{NAME}.ipynb")
        link.external_attr = 0o120777 << 16
        packed.writestr(link, str(course / f"solutions/{NAME}.ipynb"))
    done = command(archive, "--week", "99", "--out", tmp_path / "grades", cwd=course)
    assert done.returncode == 0, done.stderr
    found = [json.loads(path.read_text()) for path in (tmp_path / "grades/results").glob("*.json")]
    climber = f"../../../{tmp_path.name}-out/{NAME}.ipynb"
    assert {result["student"]: points(result) for result in found} == {"ada": 10, "eve": 0, climber: 0}
    assert "leads out of the archive" in said(found[0]) + said(found[1]) + said(found[2])
    assert not (tmp_path.parent / f"{tmp_path.name}-out").exists()


def test_a_batch_that_was_killed_goes_on_and_ends_the_same(course, tmp_path):
    for name in ("ada", "bob", "cleo"):
        hand_in(tmp_path / "class" / name, notebook(course, {} if name == "ada" else {"mean-speed": WRONG}))
    words = ("grade", tmp_path / "class", "--week", "99", "--seed", 3, "-j", 1, "--out")
    environment = os.environ | {"INSTRUCTORS_SECRET": SECRET}

    def run(out: Path) -> subprocess.Popen:
        line = [PROGRAM, *map(str, words), str(out)]
        return subprocess.Popen(line, cwd=course, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    first = run(tmp_path / "killed")
    while not list((tmp_path / "killed").glob("results/*.json")):
        assert first.poll() is None, "it ended before it could be killed"
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait()
    [finished] = (tmp_path / "killed/results").glob("*.json")
    before = finished.stat().st_mtime_ns
    assert run(tmp_path / "killed").wait() == 0 and run(tmp_path / "whole").wait() == 0
    assert finished.stat().st_mtime_ns == before, "what was finished was graded again"

    def outcome(out: Path) -> list[dict]:
        texts = [json.loads(path.read_text()) for path in sorted((out / "results").glob("*.json"))]
        return [{**text, "seconds": 0} for text in texts]

    assert outcome(tmp_path / "killed") == outcome(tmp_path / "whole")
    assert (tmp_path / "killed/grades.csv").read_text() == (tmp_path / "whole/grades.csv").read_text()
