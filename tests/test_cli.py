"""The command line as a newcomer meets it: the demo end to end, and one clear line for every mistake."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vla_course.cli import main
from vla_course.evaluation.statistics import SuccessRate

PROGRAM = Path(sys.executable).with_name("vla-course")


def call(*arguments: object, scale: str = "ci") -> subprocess.CompletedProcess:
    environment = {**os.environ, "VLA_COURSE_SCALE": scale, "COLUMNS": "200"}
    command = [str(argument) for argument in (PROGRAM, *arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.fixture(scope="module")
def demos(tmp_path_factory) -> list[Path]:
    """The demo, run twice from one seed."""
    folders = [tmp_path_factory.mktemp("demo") / name for name in ("first", "second")]
    for folder in folders:
        result = call("demo", "--seed", 2, "--out", folder)
        assert result.returncode == 0, result.stderr
        assert str(folder / "report.html") in result.stdout
    return folders


def test_the_demo_writes_a_report_that_stands_alone(demos):
    page = (demos[0] / "report.html").read_text(encoding="utf-8")
    assert len(re.findall(r'<img src="data:image/png;base64,', page)) >= 4
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert str(demos[0]) not in page


def test_the_demo_reports_what_it_promises(demos):
    report = json.loads((demos[0] / "report.json").read_text())
    assert report["task"] == "pick" and report["seed"] == 2
    assert report["trials"] == 10
    assert report["wilson_95"] == pytest.approx(SuccessRate(report["successes"], 10).wilson_95, abs=1e-4)
    assert set(report["controls"]) == {"wrong_instruction", "blank_image", "held_out_phrasings"}
    assert set(report["seconds"]) == {"collect", "train", "evaluate", "total"}
    assert report["parameters"] > 10_000 and 140 <= report["demonstrations"] <= 150
    assert report["peak_memory_mb"] > 100


def test_one_seed_gives_identical_episodes_weights_and_tables(demos):
    def files(root: Path) -> dict[str, bytes]:
        return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}

    first, second = (files(folder / "demonstrations" / "episodes") for folder in demos)
    assert len(first) > 150 and first == second
    assert files(demos[0] / "policy") == files(demos[1] / "policy")
    reports = [json.loads((folder / "report.json").read_text()) for folder in demos]
    for report in reports:
        del report["seconds"], report["peak_memory_mb"]
    assert reports[0] == reports[1]


@pytest.fixture(scope="module")
def damaged(demonstrations, tmp_path_factory) -> Path:
    import shutil

    root = tmp_path_factory.mktemp("damaged") / "data"
    shutil.copytree(demonstrations, root)
    (root / "episodes" / "episode_0003" / "actions.json").write_text("{")
    return root


def test_verify_names_the_damaged_episode_and_repairs(damaged):
    result = call("verify", damaged)
    assert result.returncode == 2
    assert "damaged: episode_0003" in result.stdout and "23 episodes are sound, 1 damaged" in result.stdout
    assert "--repair" in result.stderr
    assert call("verify", damaged, "--repair").returncode == 0
    assert call("verify", damaged).returncode == 0


def bad_calls(data: Path, policy: Path, empty: Path) -> dict[str, tuple[list, str]]:
    file = empty / "file"
    file.write_text("")
    (empty / "no_episodes").mkdir()
    (empty / "no_episodes" / "metadata.json").write_text('{"schema_version": 1, "statistics": {}}')
    other = empty / "other_shape"
    other.mkdir()
    (other / "config.json").write_text((policy / "config.json").read_text().replace('"width": 48', '"width": 40'))
    (other / "model.safetensors").write_bytes((policy / "model.safetensors").read_bytes())
    return {
        "task": (["collect", empty / "a", "--task", "fly"], "'fly'.*pick"),
        "count": (["collect", empty / "b", "--episodes", "0"], "0 episodes"),
        "seed": (["collect", empty / "c", "--seed", "-1"], "seed -1"),
        "folder to write": (["collect", file / "inside"], "file.*another folder"),
        "no data set": (["train", empty / "nothing"], "nothing.*vla-course collect"),
        "empty data set": (["train", empty / "no_episodes"], "empty.*vla-course collect"),
        "verify nothing": (["verify", empty / "nothing"], "nothing.*no data set"),
        "few samples": (["train", data, "--out", empty / "d"], "too few for batches of 64"),
        "out of train": (["train", data, "--out", file / "inside", "--batch-size", "4"], "file.*another folder"),
        "no policy": (["evaluate", empty / "nothing"], "nothing.*no policy.*vla-course train"),
        "other shape": (["evaluate", other, "--trials", "1"], "other_shape.*do not fit config.json"),
        "no trials": (["evaluate", policy, "--trials", "0"], "1 trial or more"),
        "no workers": (["evaluate", policy, "--workers", "0"], "--workers 0.*such as 2"),
        "no recorders": (["collect", empty / "e", "--workers", "0"], "--workers 0.*such as 2"),
        "figures": (["evaluate", policy, "--trials", "1", "--out", file / "x.json"], "file.*check the path"),
        "axis": (["evaluate", policy, "--vary", "mood"], "'mood'.*light"),
        "unknown task": (["evaluate", policy, "--task", "fly", "--trials", "1"], "'fly'.*pick"),
        "unknown words": (["watch", policy, "--instruction", "xyzzy plugh"], "'xyzzy plugh'.*it knows words"),
        "picture": (["watch", policy, "--out", file / "x.png"], "x.png.*check the path"),
        "no picture": (["watch", policy, "--out", empty / "film.mpg"], "film.mpg.*ends in .png"),
        "demo": (["demo", "--out", file / "inside"], "file.*another folder"),
        "samples": (["samples"], "not a checkout"),
    }


def test_every_mistake_gets_one_clear_line_and_leaves_nothing_behind(
    demonstrations, shipped, tmp_path, monkeypatch, capfd
):
    """In this process: a start of Python for each would take minutes."""
    calls = bad_calls(demonstrations, shipped, tmp_path)
    before = {p for p in tmp_path.rglob("*")}
    monkeypatch.chdir(tmp_path)
    for name, (arguments, message) in calls.items():
        monkeypatch.setattr(sys, "argv", ["vla-course", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        lines = capfd.readouterr().err.strip().splitlines()
        assert ended.value.code == 2 and len(lines) == 1, (name, lines)
        assert lines[0].startswith("vla-course: ") and re.search(message, lines[0]), (name, lines)
    left = {p.relative_to(tmp_path) for p in tmp_path.rglob("*")} - {p.relative_to(tmp_path) for p in before}
    assert not [p for p in left if p.is_file()], left


def test_a_full_disk_is_named(shipped):
    result = call("evaluate", shipped, "--trials", "1", "--conditions", "normal", "--out", "/dev/full")
    last = result.stderr.strip().splitlines()[-1]
    assert result.returncode == 2 and last.endswith(
        "vla-course: No space left on device; check the path and the free space"
    )


@pytest.mark.parametrize("arguments", [["fly"], ["collect"], ["evaluate", "x", "--conditions", "upside_down"], []])
def test_a_mistyped_command_is_explained(arguments):
    result = call(*arguments)
    assert result.returncode == 2 and "Traceback" not in result.stderr + result.stdout


def test_an_unknown_scale_is_named():
    result = call("demo", scale="huge")
    assert result.returncode == 2 and re.search("'huge'.*ci.*student", result.stderr)


def test_watch_draws_a_film_for_a_sentence_of_ones_own(shipped, tmp_path):
    result = call("watch", shipped, "--instruction", "please grab the ball", "--out", tmp_path / "film.png")
    assert result.returncode == 0 and "please grab the ball" in result.stdout
    assert (tmp_path / "film.png").read_bytes().startswith(b"\x89PNG")


def test_a_reader_that_has_seen_enough_ends_a_command_in_silence():
    command = subprocess.Popen([PROGRAM, "collect", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    command.stdout.close()
    assert command.communicate()[1] == b"" and command.returncode == 141
