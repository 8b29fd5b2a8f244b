"""Training learns, resumes exactly, repeats exactly, and says what is wrong."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from vla_course.data.store import close_store, episode_folders
from vla_course.data.windows import WindowDataset
from vla_course.errors import CourseError
from vla_course.training.behavior_cloning import new_policy, parse_parts
from vla_course.training.trainer import TrainConfig, train

CONFIG = TrainConfig(epochs=6, batch_size=8, validation=0.1, seed=5)
PROGRAM = Path(sys.executable).with_name("vla-course")


def run(demonstrations: Path, out: Path, config: TrainConfig = CONFIG) -> list[dict]:
    dataset = WindowDataset(demonstrations)
    return train(new_policy(dataset, config.seed), dataset, config, out)


@pytest.fixture(scope="module")
def finished(demonstrations, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("run")
    run(demonstrations, out)
    return out


def test_the_loss_falls_and_everything_promised_is_written(finished):
    history = json.loads((finished / "history.json").read_text())
    assert [row["epoch"] for row in history] == list(range(6))
    assert history[-1]["training_loss"] < 0.7 * history[0]["training_loss"]
    assert history[0]["learning_rate"] < max(row["learning_rate"] for row in history) <= CONFIG.learning_rate
    for file in ("best/model.safetensors", "last/model.safetensors", "best/config.json"):
        assert (finished / file).exists()
    assert list((finished / "tensorboard").rglob("events*"))
    assert len(list(finished.glob("checkpoint_*"))) == 1


def test_the_returned_policy_is_that_of_the_best_epoch(demonstrations, tmp_path):
    dataset = WindowDataset(demonstrations)
    policy = new_policy(dataset, 5)
    history = train(policy, dataset, CONFIG, tmp_path)
    saved = load_file(tmp_path / "best" / "model.safetensors")
    assert all(torch.equal(saved[name], value) for name, value in policy.state_dict().items())
    validation = dataset.split(CONFIG.validation, CONFIG.seed)["validation"]
    with torch.no_grad():
        loss = policy.eval()(dataset.__getitems__(validation))[0].item()
    assert loss == pytest.approx(min(row["validation_loss"] for row in history), rel=1e-5)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(demonstrations, finished, tmp_path):
    run(demonstrations, tmp_path / "again")
    weights = (finished / "last" / "model.safetensors").read_bytes()
    assert (tmp_path / "again" / "last" / "model.safetensors").read_bytes() == weights
    run(demonstrations, tmp_path / "other", TrainConfig(epochs=6, batch_size=8, validation=0.1, seed=6))
    assert (tmp_path / "other" / "last" / "model.safetensors").read_bytes() != weights


def test_training_leaves_the_global_random_state_alone(demonstrations, tmp_path):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    run(demonstrations, tmp_path, TrainConfig(epochs=1, batch_size=8, validation=0.1))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_killed_training_ends_with_the_same_weights(demonstrations, tmp_path):
    command = [PROGRAM, "train", demonstrations, "--batch-size", "8", "--epochs", "12", "--out"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([*command, tmp_path / "killed"], env=environment, **quiet)
    while not list((tmp_path / "killed").glob("checkpoint_0002")):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "history.json").exists()
    subprocess.run([*command, tmp_path / "killed"], check=True, env=environment, **quiet)
    subprocess.run([*command, tmp_path / "whole"], check=True, env=environment, **quiet)
    for file in ("last/model.safetensors", "best/model.safetensors", "history.json"):
        assert (tmp_path / "killed" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()


def test_training_stops_when_validation_no_longer_improves(demonstrations, tmp_path):
    config = TrainConfig(epochs=40, batch_size=8, validation=0.1, patience=1, learning_rate=0.3)
    history = run(demonstrations, tmp_path, config)
    losses = [row["validation_loss"] for row in history]
    assert len(history) < 40
    assert losses.index(min(losses)) == len(losses) - 3  # one stale epoch is borne, the second ends it


def test_a_folder_of_another_run_is_refused(demonstrations, finished):
    with pytest.raises(CourseError, match="another folder"):
        run(demonstrations, finished, TrainConfig(epochs=7, batch_size=8, validation=0.1, seed=5))


@pytest.mark.parametrize("field", ("epochs=0", "batch_size=0", "learning_rate=-1.0", "seed=-1", "patience=-1"))
def test_a_setting_that_cannot_be_trained_with_is_named(demonstrations, tmp_path, field):
    name, value = field.split("=")
    with pytest.raises(CourseError, match=f"^{field}; give"):
        run(demonstrations, tmp_path / "run", TrainConfig(**{name: float(value) if "." in value else int(value)}))
    assert not (tmp_path / "run").exists()


def test_a_run_does_not_go_on_with_other_data(demonstrations, finished, tmp_path):
    shutil.copytree(demonstrations, tmp_path / "data")
    shutil.rmtree(episode_folders(tmp_path / "data")[-1])
    close_store(tmp_path / "data")
    with pytest.raises(CourseError, match="other settings or data"):
        run(tmp_path / "data", finished)


def test_a_loss_that_is_not_finite_ends_the_run_with_a_word(demonstrations, tmp_path):
    config = TrainConfig(epochs=6, batch_size=8, validation=0.1, learning_rate=1e30)
    with pytest.raises(CourseError, match="learning_rate=1e\\+30"):
        run(demonstrations, tmp_path, config)


def test_too_few_samples_are_refused(demonstrations, tmp_path):
    with pytest.raises(CourseError, match="too few for batches of 64"):
        run(demonstrations, tmp_path, TrainConfig(batch_size=64))


def test_too_few_samples_for_all_processes_are_refused(demonstrations, tmp_path, monkeypatch):
    monkeypatch.setattr("accelerate.Accelerator.num_processes", 4)
    with pytest.raises(CourseError, match=r"batches of 8 \(processes: 4\)"):
        run(demonstrations, tmp_path / "run", CONFIG)
    assert not (tmp_path / "run").exists()


def test_resuming_leaves_every_global_random_state_alone(demonstrations, tmp_path):
    import random

    import numpy as np

    run(demonstrations, tmp_path, TrainConfig(epochs=1, batch_size=8, validation=0.1))
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    assert before != states
    run(demonstrations, tmp_path, TrainConfig(epochs=1, batch_size=8, validation=0.1))  # loads the checkpoint
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before


def test_two_processes_learn_as_one_does(demonstrations, tmp_path):
    """Half the batch in each makes the same steps; what differs is what BatchNorm sees: 5% of the loss at most."""
    config = TrainConfig(epochs=6, batch_size=16, seed=5)
    alone = run(demonstrations, tmp_path / "alone", config)
    launch = [PROGRAM.with_name("torchrun"), "--standalone", "--nproc_per_node", "2", PROGRAM]
    options = ["--batch-size", "8", "--epochs", "6", "--seed", "5", "--out", tmp_path / "both"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    done = subprocess.run([*launch, "train", demonstrations, *options], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("policy:") == 1  # one of them speaks
    together = json.loads((tmp_path / "both" / "history.json").read_text())
    assert [row["learning_rate"] for row in together] == [row["learning_rate"] for row in alone]
    losses = [[row["training_loss"] for row in history] for history in (alone, together)]
    assert losses[1] == pytest.approx(losses[0], rel=0.05) and losses[1] != losses[0]


def test_parts_are_named_on_the_command_line(demonstrations):
    data = WindowDataset(demonstrations)
    parts = parse_parts(("decoder=flow", "heads=2", "dropout=0", 'cameras=["front"]', "execute=null", "memory=false"))
    assert parts == {
        "decoder": "flow",
        "heads": 2,
        "dropout": 0,
        "cameras": ["front"],
        "execute": None,
        "memory": False,
    }
    assert new_policy(data, 0, **parts).decoder.steps == 10
    for wrong, message in (
        ("decodr=flow", "unknown part 'decodr'.*decoder"),
        ("heads=two", "heads=two: give heads a value like 1"),
        ("heads=true", "heads=true: give heads a value like 1"),
        ("cameras=front", r'give cameras a value like \["front"\]'),
        ("decoder", "unknown decoder ''"),
    ):
        with pytest.raises(CourseError, match=message):
            new_policy(data, 0, **parse_parts((wrong,)))
