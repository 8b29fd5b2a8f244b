"""Replay: recorded actions do the task again, and what was changed in a recording is found."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from vla_course.collection.recorder import Recorder, features
from vla_course.collection.replay import Replayed, ReplayResult, replay
from vla_course.data.description import write_metadata
from vla_course.data.episodes import Episode, read_episode, write_episode
from vla_course.data.store import close_store, episode_folder, open_store, read_metadata
from vla_course.errors import CourseError
from vla_course.sim.env import TabletopEnv
from vla_course.sim.experts import ClosedLoopExpert


@pytest.fixture
def few(demonstrations, tmp_path) -> Path:
    """Six of the pick demonstrations, to be changed."""
    root = tmp_path / "few"
    (root / "episodes").mkdir(parents=True)
    shutil.copytree(demonstrations / "instructions", root / "instructions")
    shutil.copy(demonstrations / "metadata.json", root)
    for i in range(6):
        shutil.copytree(episode_folder(demonstrations, i), episode_folder(root, i))
    return root


def change(root: Path, index: int, steps: dict | None = None, **labels: object) -> None:
    """Write an episode again, with other columns or labels."""
    episode = read_episode(episode_folder(root, index))
    shutil.rmtree(episode_folder(root, index))
    changed = Episode(
        {**episode.metadata, **labels}, episode.instruction, {**episode.steps, **(steps or {})}, episode.frames
    )
    write_episode(changed, episode_folder(root, index))


def test_demonstrations_replay_exactly_with_any_number_of_workers(few):
    result = replay(few, workers=1)
    assert result.passed and result.outcomes == [True] * 6 and result.deviation == 0
    assert result == replay(few, workers=2)
    assert str(result).startswith("6/6 successes succeed again")


def test_a_tampered_action_is_found(few):
    actions = read_episode(episode_folder(few, 2)).steps["action"]
    actions[2, 2] += 0.06  # the grasp, 6 cm above the object
    change(few, 2, {"action": actions})
    result = replay(few, workers=1)
    assert [e.name for e in result.episodes if e.deviation > 0] == ["episode_0002"]
    assert 0.05 < result.deviation < 0.07
    assert result.outcomes == [True, True, False, True, True, True] and not result.passed
    assert "episode_0002: labelled a success, replayed to a failure" in str(result)


def test_a_wrong_seed_is_found(few):
    change(few, 4, seed=read_episode(episode_folder(few, 4)).metadata["seed"] + 100)
    result = replay(few, workers=1)
    assert result.outcomes == [True, True, True, True, False, True] and not result.passed


def test_a_wrong_label_is_found(few):
    change(few, 1, success=False)
    change(few, 3, success=None)
    result = replay(few, workers=1)
    assert len(result.outcomes) == 4 and result.passed
    assert "episode_0001: labelled a failure, replayed to a success" in str(result)
    assert "0/1 failures fail again" in str(result) and "episode_0003" not in str(result)


def test_wrong_states_are_found(few):
    state = read_episode(episode_folder(few, 0)).steps["state"]
    state[:, 1] *= -1  # another frame of reference
    change(few, 0, {"state": state})
    result = replay(few, workers=1)
    assert result.passed and result.deviation > 0.02


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory) -> Path:
    """Two episodes at 10 Hz in which the robot was not sent what the expert wanted, in a varied world."""
    root = tmp_path_factory.mktemp("disturbed") / "set"
    world = {"action_mode": "ee_delta", "cameras": [], "modalities": [], "variety": {"start": "seen", "size": "seen"}}
    env, rng = TabletopEnv("push_left", **world), np.random.default_rng(0)
    made = features(env)
    open_store(root, {"task": "push_left", "robot": "panda", "features": made, **world}, {"push_left": ["push it"]})
    for seed in (5, 6):
        recorder, expert, over = Recorder(env), ClosedLoopExpert(env), False
        recorder.reset(seed)
        while not over:
            action = expert.act()
            sent = action + rng.normal(scale=0.08, size=7).astype(np.float32) * [1, 1, 1, 1, 1, 1, 0]
            over = recorder.step(action, np.clip(sent, -1, 1).astype(np.float32))
        write_episode(recorder.episode(), episode_folder(root, seed - 5))
    env.close()
    close_store(root)
    return root


def test_what_was_executed_is_replayed_and_not_what_was_wanted(disturbed, tmp_path):
    assert replay(disturbed, workers=1).deviation == 0
    root = tmp_path / "set"
    shutil.copytree(disturbed, root)
    wanted = read_episode(episode_folder(root, 0)).steps["action"]
    change(root, 0, {"executed": wanted})
    assert replay(root, workers=1).episodes[0].deviation > 0.003
    change(root, 0, {"action": 0 * wanted, "executed": read_episode(episode_folder(disturbed, 0)).steps["executed"]})
    assert replay(root, workers=1).deviation == 0


def test_98_percent_is_enough():
    def result(successes: int, failures: int) -> ReplayResult:
        return ReplayResult([Replayed("e", True, i < successes, 0.0) for i in range(successes + failures)])

    assert result(98, 2).passed and result(49, 1).passed
    assert not result(97, 3).passed and not result(48, 1).passed


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"task": "juggle"}, "unknown task 'juggle'; choose one of"),
        ({"robot": "r2d2"}, "unknown robot 'r2d2'; choose one of"),
        ({"seed": None}, "episode_0000: has no seed or no states"),
    ],
)
def test_what_the_simulator_does_not_know_is_refused(few, labels, message):
    change(few, 0, **labels)
    with pytest.raises(CourseError, match=message):
        replay(few, workers=1)


def test_foreign_and_hopeless_data_sets_are_refused(few):
    metadata = read_metadata(few)
    write_metadata(few, {**metadata, "action_mode": "unknown"})
    with pytest.raises(CourseError, match="has action mode 'unknown'.*recorded in one of: ee_delta"):
        replay(few)
    write_metadata(few, metadata)
    for i in range(6):
        change(few, i, success=False)
    with pytest.raises(CourseError, match="no episode is labelled a success"):
        replay(few)
