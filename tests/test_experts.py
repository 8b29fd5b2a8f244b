"""The closed-loop expert makes good what goes wrong, and what is recorded is what happened."""

from itertools import pairwise

import numpy as np
import pytest

from vla_course.collection.recorder import features
from vla_course.collection.replay import replay
from vla_course.collection.scripted import collect, make_env, record_closed_loop
from vla_course.data.store import episode_folders, read_episode, verify
from vla_course.data.windows import WindowDataset
from vla_course.errors import CourseError
from vla_course.sim.env import TabletopEnv
from vla_course.sim.experts import ClosedLoopExpert
from vla_course.sim.tasks import TASKS
from vla_course.training.behavior_cloning import new_policy


def run(env: TabletopEnv, seed: int, disturb=lambda step, action: action) -> tuple[dict, ClosedLoopExpert, int]:
    """One episode at 10 Hz in which `disturb` may change what is sent."""
    expert, step, over = ClosedLoopExpert(env), 0, False
    env.reset(seed=seed)
    while not over:
        *_, terminated, truncated, info = env.step(disturb(step, expert.act()))
        over, step = terminated or truncated, step + 1
    return info, expert, step


@pytest.mark.parametrize("task", TASKS)
def test_it_succeeds_ten_times_a_second_as_well(task):
    env = TabletopEnv(task, action_mode="ee_delta", cameras=())
    assert sum(run(env, seed)[0]["success"] for seed in range(4)) == 4
    env.close()


@pytest.mark.parametrize("task", TASKS)
def test_it_does_not_wait(task):
    """Where nothing happens for several steps, a policy that remembers nothing learns to wait for ever."""
    env, sent = TabletopEnv(task, action_mode="ee_delta", cameras=()), []
    run(env, 3, lambda step, action: sent.append(action) or action)
    env.close()
    idle = [np.abs(now[:6]).max() < 0.05 and now[6] == before[6] for before, now in pairwise(sent)]
    assert not any(all(idle[i : i + 2]) for i in range(len(idle) - 1))


@pytest.mark.parametrize("task", ("open_drawer", "close_drawer"))
def test_it_lets_go_at_once_where_the_way_of_the_drawer_ends(task):
    """A hand that rests there once closed and once opens looks the same both times: a policy may rest for ever."""
    env, sent = TabletopEnv(task, action_mode="ee_delta", cameras=()), []
    run(env, 3, lambda step, action: sent.append(action) or action)
    env.close()
    closed = [action for action in sent if action[6] < 0]
    assert len(closed) > 3 and all(np.abs(action[:3]).max() > 0.5 for action in closed[1:])  # the first one grasps


def test_sorting_goes_by_name_and_the_record_says_what_is_handled():
    """An order that is not to be seen could not be learned."""
    env, handled = make_env("sort", {"action_mode": "ee_delta", "cameras": []}), []
    run(env, 4, lambda step, action: handled.append(env.task.focus(env.world)) or action)
    scene, asked = env.world.scene, [item for item, _ in dict.fromkeys(handled)]
    assert [scene.objects[i].name for i in asked] == sorted(item.name for item in scene.objects[2:])
    assert all(scene.objects[item].color == scene.objects[bowl].color for item, bowl in handled)
    episode = record_closed_loop(env, 4)
    places = episode.steps["relative_positions"][0] + episode.steps["state"][0, :3]
    assert np.allclose(places, [env.world.start_positions[i] for i in handled[0]], atol=1e-3)
    assert scene.objects[3].name in episode.metadata["pointing"][1]
    env.close()


@pytest.mark.parametrize("task", ("pick", "place", "stack", "take_from_drawer"))
def test_it_picks_up_again_what_it_lost(task):
    env = TabletopEnv(task, action_mode="ee_delta", cameras=())
    dropped = []

    def open_once(step, action):
        """Open the hand for four steps when it first carries something."""
        if env.world.robot.proprioception()[6] < 0.9 and action[6] < 0 and action[2] > 0.5 and len(dropped) < 4:
            dropped.append(step)
        if dropped and step < dropped[0] + 4:
            action[6] = 1.0
        return action

    plain, _, usual = run(env, 1)
    info, expert, steps = run(env, 1, open_once)
    env.close()
    assert dropped and plain["success"] and info["success"]
    assert steps > usual


def test_it_comes_back_after_a_push():
    env = TabletopEnv("pick", action_mode="ee_delta", cameras=())
    shoved = lambda step, action: np.array([0, 1, 0.2, 0, 0, 0, 1.0]) if 4 <= step < 8 else action  # noqa: E731
    assert all(run(env, seed, shoved)[0]["success"] for seed in range(5))
    env.close()


def test_a_fixture_stays_and_a_button_comes_back():
    env = TabletopEnv("open_drawer", action_mode="ee_delta", cameras=())
    info, _, _ = run(env, 0)
    left = env.world.slide(0)
    for _ in range(10):
        env.world.tick()
    assert info["success"] and env.world.slide(0) == pytest.approx(left, abs=0.002)
    env.close()
    env = TabletopEnv("press", action_mode="ee_delta", cameras=())
    run(env, 0)
    assert env.world.slide(0) > 0.005
    env.step(np.array([0, 0, 1, 0, 0, 0, -1.0]))
    env.step(np.array([0, 0, 1, 0, 0, 0, -1.0]))
    assert env.world.slide(0) < 0.002
    env.close()


def test_noise_is_recorded_beside_what_the_expert_wanted():
    env = TabletopEnv("pick", action_mode="ee_delta", cameras=("front",))
    levels = {}
    for seed in range(8):
        episode = record_closed_loop(env, seed, noise=0.1)
        off = np.abs(episode.steps["executed"] - episode.steps["action"])
        levels[episode.metadata["noise"]] = off[:, :6].std()
        assert {name: list(rows.shape[1:]) for name, rows in episode.steps.items()} == {
            name: what["shape"] for name, what in features(env).items()
        }
    env.close()
    assert set(levels) == {0.0, 0.05, 0.1}
    assert levels[0.0] == 0 < levels[0.05] < levels[0.1]


def test_a_collection_of_several_tasks_at_ten_hertz_can_be_trained_on_and_ends_the_same(tmp_path):
    settings = dict(task="pick,open_drawer", episodes=2, workers=1, action_mode="ee_delta", noise=0.1,
                    variety={"light": "seen", "start": "unseen"}, cameras=("front", "overhead"))  # fmt: skip
    metadata = collect(tmp_path / "one", **settings)
    collect(tmp_path / "two", **settings)
    folders = [episode_folders(tmp_path / name) for name in ("one", "two")]
    assert [f.name for f in folders[0]] == [f"episode_{i:04d}" for i in range(4)]
    for one, two in zip(*folders, strict=True):
        assert all((two / p.relative_to(one)).read_bytes() == p.read_bytes() for p in one.rglob("*") if p.is_file())
    assert [read_episode(f).metadata["task"] for f in folders[0]] == ["pick", "open_drawer"] * 2
    batch = WindowDataset(tmp_path / "one", chunk=8, every_step=True).__getitems__([0, 5])
    assert batch["action"].shape == (2, 8, 7) and batch["observation.images.overhead"].shape == (2, 3, 64, 64)
    env = make_env("pick", metadata)
    assert env.variety == settings["variety"] and env.action_mode == "ee_delta"
    env.close()


def test_one_data_set_mixes_robots(tmp_path):
    collect(tmp_path, "pick", episodes=3, workers=1, robot="panda,kuka,xarm6")
    episodes = [read_episode(folder) for folder in episode_folders(tmp_path)]
    assert [episode.metadata["robot"] for episode in episodes] == ["panda", "kuka", "xarm6"]
    assert not any("joints" in episode.steps for episode in episodes)  # the arms have 7, 7 and 6
    assert verify(tmp_path) == (3, []) and replay(tmp_path, workers=1).outcomes == [True] * 3
    dataset = WindowDataset(tmp_path)
    assert dataset.__getitems__([0, 1, 2])["action"].shape == (3, 5, 7)
    assert new_policy(dataset, seed=0).config.robot == "panda"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"task": "pick,fly"}, "'fly'"), ({"noise": 0.1}, "ee_delta"), ({"action_mode": "joint_delta"}, "'joint_delta'"),
     ({"variety": {"mood": "seen"}}, "'mood'"), ({"image_size": 0}, "image_size=0")],
)  # fmt: skip
def test_a_collection_that_cannot_be_made_leaves_nothing_behind(tmp_path, wrong, message):
    with pytest.raises(CourseError, match=message):
        collect(tmp_path / "data", **{"task": "pick", "episodes": 1, "workers": 1, **wrong})
    assert not (tmp_path / "data").exists()
