"""What ships with the course is whole, and what the README says of it is what was measured."""

import json
from pathlib import Path

import pytest

from vla_course.data.store import verify
from vla_course.errors import CourseError
from vla_course.evaluation.rollouts import evaluate
from vla_course.evaluation.statistics import SuccessRate
from vla_course.samples import TASKS, check_samples
from vla_course.seeds import scene_seed

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "data_samples"


def test_the_samples_are_those_of_the_checksums():
    check_samples(SAMPLES)


def test_a_changed_sample_is_named(tmp_path):
    import shutil

    shutil.copytree(SAMPLES, tmp_path / "samples")
    (tmp_path / "samples" / "policies" / "first_policy" / "config.json").write_text("{}")
    with pytest.raises(CourseError, match="first_policy/config.json"):
        check_samples(tmp_path / "samples")


@pytest.mark.parametrize("task", TASKS)
def test_the_sample_episodes_are_sound(task):
    assert verify(SAMPLES / "demonstrations" / task) == (3, [])


@pytest.mark.parametrize("policy", sorted((SAMPLES / "policies").iterdir()), ids=lambda path: path.name)
def test_a_policy_is_small(policy):
    assert sum(p.stat().st_size for p in policy.iterdir()) <= 3_000_000


@pytest.mark.parametrize("task", ["pick", "press", "open_drawer"])
def test_one_policy_does_tasks_of_different_kinds(task):
    """Its rates in 50 scenes of each are 98 to 100%: eight scenes with three failures would be another policy."""
    seeds = [scene_seed(0, i, test=True) for i in range(8)]
    found = evaluate(SAMPLES / "policies" / "multitask", task, seeds, ("normal",))["normal"]
    assert found.rate.successes >= 6


@pytest.mark.parametrize("file", sorted((ROOT / "results").glob("*.json")), ids=lambda path: path.stem)
def test_results_files_are_complete_and_their_intervals_are_right(file):
    results = json.loads(file.read_text())
    assert {"command", "seed", "machine", "rows"} <= set(results)
    for row in results["rows"]:
        rate = SuccessRate(row["successes"], row["trials"])
        assert row["wilson_95"] == pytest.approx(rate.wilson_95, abs=1e-4)
        assert row["name"] and row["minutes"] >= 0


@pytest.mark.parametrize("file", ["demo.json", "closed_loop.json", "multitask.json"])
def test_the_readme_quotes_the_results_file(file):
    rows = json.loads((ROOT / "results" / file).read_text())["rows"]
    readme = (ROOT / "README.md").read_text()
    for row in rows:
        rate = SuccessRate(row["successes"], row["trials"])
        assert str(rate) in readme, f"README.md does not show {rate} ({row['name']})"


QUOTED = [
    "as designed",
    "vision: ViT",
    "decoder: ACT",
    "decoder: squared error",
    "decoder: tokens, hard labels, argmax",
    "decoder: tokens, one by one",
    "without grounding",
]


@pytest.mark.parametrize("name", QUOTED)
def test_the_readme_quotes_the_table_of_parts(name):
    rows = {row["name"]: row for row in json.loads((ROOT / "results" / "ablation.json").read_text())["rows"]}
    rate = str(SuccessRate(rows[name]["successes"], rows[name]["trials"]))
    assert rate in " ".join((ROOT / "README.md").read_text().split())
