"""Grading beyond the attacks: week 8 with its measured policy, what is refused, and what an instructor can change."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import joblib
import nbformat
import pytest

from vla_course.errors import CourseError
from vla_course.grading.cells import code_cells, read_solution, stub
from vla_course.grading.grade import grade
from vla_course.grading.library import student_library, switch_off
from vla_course.notebooks import solutions

ROOT = Path(__file__).parents[2]
SMALL = Path(__file__).parent / "course/solutions/week99_vectors.ipynb"
LARGE = ROOT / "solutions/week08_behavior_cloning.ipynb"
PROGRAM = Path(sys.executable).with_name("vla-course")

needs_sandbox = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("bwrap") is None, reason="the sandbox is bubblewrap, which needs Linux"
)


def vla_course(*words: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
    command = [PROGRAM, *map(str, words)]
    return subprocess.run(command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True)


def hand_in(root: Path, solution: Path, student: str, answers: dict[str, str], others: str = "right") -> None:
    """A submission with some answers; the others are the right ones, or "blank". Its limits suit a busy machine."""
    notebook, tasks = nbformat.read(solution, as_version=4), {t.name: t for t in read_solution(solution).tasks}
    for cell in code_cells(notebook):
        name = cell.id.removesuffix("-answer")
        if name in tasks and cell.id != name:
            given = cell.source if others == "right" else stub(cell.source, name)
            cell.source = answers.get(name, given)
    (root / "submissions" / student).mkdir(parents=True)
    nbformat.write(notebook, root / "submissions" / student / solution.name)
    (root / "solutions").mkdir(exist_ok=True)
    patient = nbformat.read(solution, as_version=4)
    known = patient.metadata.setdefault("vla_course", {}).get("limits", {})
    patient.metadata["vla_course"]["limits"] = {**known, "cell_seconds": 120, "notebook_seconds": 600}
    nbformat.write(patient, root / "solutions" / solution.name)


def results(out: Path) -> dict[str, dict]:
    found = [json.loads(path.read_text()) for path in (out / "results").glob("*.json")]
    return {result["student"]: {task["name"]: task for task in result["tasks"]} for result in found}


SAVE = "    from pathlib import Path\n    Path('handed_in').mkdir()\n    policy.save_pretrained = lambda folder: None\n"
WEIGHTS = {
    "untrained": ("def train(policy, dataset, epochs, seed):\n    pass", "it succeeded in"),
    "pickle_bomb": (
        "def train(policy, dataset, epochs, seed):\n" + SAVE + "    class Bomb:\n"
        "        def __reduce__(self): return (__import__('os').system, ('touch {out}/bombed',))\n"
        "    torch.save({'vision': Bomb()}, 'handed_in/model.safetensors')",
        "is not a safetensors file",
    ),
    "not_finite": (
        "def train(policy, dataset, epochs, seed):\n"
        "    with torch.no_grad():\n        for weight in policy.parameters(): weight.fill_(float('nan'))",
        "not finite",
    ),
    "another_network": (
        "def train(policy, dataset, epochs, seed):\n" + SAVE + "    from safetensors.torch import save_file\n"
        "    save_file({'answer': torch.ones(3)}, 'handed_in/model.safetensors')",
        "do not fit",
    ),
    "patched_evaluator": (
        "import vla_course.evaluation.rollouts as rollouts\nimport vla_course.sim.env as env\n"
        "rollouts.rollout = lambda *_, **__: type('Trial', (), {'success': True})\n"
        "env.TabletopEnv.step = lambda self, action: (None, 1.0, True, False, {'success': True})\n"
        "def train(policy, dataset, epochs, seed):\n    print('success: 40/40')",
        "it succeeded in",
    ),
    "the_librarys_trainer": (
        "def train(policy, dataset, epochs, seed):\n"
        "    from vla_course.training.trainer import TrainConfig, train as fit\n"
        "    fit(policy, dataset, TrainConfig(epochs=epochs, seed=seed), Path('run'))",
        "the library's own implementation",
    ),
}


@pytest.fixture(scope="module")
def week08(tmp_path_factory) -> dict:
    root = tmp_path_factory.mktemp("week08")
    for name, (answer, _) in WEIGHTS.items():
        hand_in(root, LARGE, name, {"train": answer.replace("{out}", str(root))}, others="blank")
    done = vla_course("grade", "submissions", "--week", "8", "--seed", 11, "-j", 2, cwd=root)
    assert done.returncode == 0, done.stderr
    assert not (root / "bombed").exists()
    return results(root / "grades")


@needs_sandbox
@pytest.mark.parametrize("solution", solutions(ROOT), ids=lambda path: path.stem)
def test_a_solution_earns_every_point(solution, tmp_path):
    """Also what is measured in physics, in scenes that the grading seed draws."""
    hand_in(tmp_path, solution, "good", {})
    done = vla_course("grade", "submissions", "--week", solution.name[4:6], "--seed", 11, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    earned = {name: task["points"] for name, task in results(tmp_path / "grades")["good"].items()}
    assert earned == {task.name: task.points for task in read_solution(solution).tasks}


@needs_sandbox
@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_that_were_not_trained_earn_nothing(week08, name):
    assert all(task["points"] == 0 for task in week08[name].values())
    reasons = " ".join(cell["reason"] for cell in week08[name]["train"]["cells"])
    assert WEIGHTS[name][1] in reasons


@needs_sandbox
def test_an_instructors_changes_survive_a_regrade(tmp_path):
    hand_in(tmp_path, SMALL, "ada", {"mean-speed": "def mean_speed(positions, dt):\n    return 0.0"})
    hand_in(tmp_path, SMALL, "bob", {})
    words = ("grade", "submissions", "--week", "99", "--due", "2001-01-01T00:00", "--late", "10")
    assert vla_course(*words, cwd=tmp_path).returncode == 0
    seed = json.loads((tmp_path / "grades/run.json").read_text())["seed"]
    with open(tmp_path / "grades/adjustments.csv", "a") as file:
        file.write("ada,1.5,showed the derivation on paper\n")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "grades/results").glob("*.json")}
    assert vla_course(*words, "--regrade", "ada", cwd=tmp_path).returncode == 0
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "grades/results").glob("*.json")}
    assert [name.split("-")[0] for name in before if before[name] != after[name]] == ["ada"]
    seeds = {json.loads(path.read_text())["seed"] for path in (tmp_path / "grades/results").glob("*.json")}
    assert len(seeds) == 2 and seed in seeds  # the feedback of the first run shows what the probes wanted
    with open(tmp_path / "grades/grades.csv") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert (rows["ada"]["points"], rows["ada"]["late"], rows["ada"]["total"]) == ("8", "-8", "1.5")
    [page] = (tmp_path / "grades/feedback").glob("ada-*.html")
    assert "showed the derivation on paper" in page.read_text()


@needs_sandbox
def test_another_backend_of_joblib_gives_the_same(tmp_path, monkeypatch):
    """loky's workers are processes, as those of a cluster are."""
    hand_in(tmp_path, SMALL, "ada", {})
    hand_in(tmp_path, SMALL, "bob", {}, others="blank")
    joblib.Parallel(2)([joblib.delayed(os.getcwd)()] * 2)  # so the workers are there already, in another folder
    monkeypatch.chdir(tmp_path)
    with joblib.parallel_config(backend="loky"):
        _, found = grade(Path("submissions"), Path("solutions") / SMALL.name, Path("grades"), 5, 2, "bubblewrap", ())
    assert {result.student: result.points for result in found} == {"ada": 10, "bob": 0}


def test_without_a_sandbox_it_refuses_and_says_what_to_do(tmp_path):
    hand_in(tmp_path, SMALL, "ada", {})
    done = vla_course("grade", "submissions", "--week", "99", cwd=tmp_path, PATH=str(tmp_path))
    assert done.returncode == 2 and "--no-sandbox" in done.stderr and "bwrap" in done.stderr
    assert not (tmp_path / "grades/results").exists()


def test_graded_without_a_sandbox_every_report_says_so(tmp_path):
    hand_in(tmp_path, SMALL, "ada", {})
    done = vla_course("grade", "submissions", "--week", "99", "--no-sandbox", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sum(task["points"] for task in results(tmp_path / "grades")["ada"].values()) == 10
    for page in [tmp_path / "grades" / "report.html", *(tmp_path / "grades" / "feedback").glob("*.html")]:
        assert "without a sandbox" in page.read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--week", "42"), "no solutions/week42"),
        (("--week", "99", "--due", "tomorrow", "--late", "5"), "is not a time"),
        (("--week", "99", "--late", "5"), "needs both --due and --late"),
        (("--week", "99", "--regrade", "nobody"), "no such student"),
    ],
)
def test_bad_input_is_one_line(words, told, tmp_path):
    hand_in(tmp_path, SMALL, "ada", {})
    done = vla_course("grade", "submissions", *words, cwd=tmp_path)
    assert done.returncode == 2 and told in done.stderr and len(done.stderr.splitlines()) == 1


def test_what_a_task_asks_for_is_switched_off_and_nothing_else(tmp_path):
    """Importing the copy in a fresh Python: the named objects raise, their neighbours work, their source is gone."""
    names = ["vla_course.evaluation.statistics:SuccessRate.wilson_95", "vla_course.seeds:scene_seed"]
    library = student_library(tmp_path / "library", names)
    code = (
        "import vla_course.seeds as seeds\nfrom vla_course.evaluation.statistics import SuccessRate, mcnemar\n"
        "print(SuccessRate(1, 2).rate, mcnemar([True], [True]))\n"
        "for off in (lambda: SuccessRate(1, 2).wilson_95, lambda: seeds.scene_seed(1, 2)):\n"
        "    try:\n        off()\n    except RuntimeError as error:\n        print(error)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(library)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines()[0] == "0.5 1.0" and done.stdout.count("is switched off") == 2, done.stderr
    own, copy = (folder / "vla_course/evaluation/statistics.py" for folder in (ROOT, library))
    assert "inv_cdf" in own.read_text() and "inv_cdf" not in copy.read_text()
    assert not (library / "vla_course/grading").exists()
    with pytest.raises(CourseError, match="does not define"):
        switch_off("def a():\n    return 1\n", {"b"})
