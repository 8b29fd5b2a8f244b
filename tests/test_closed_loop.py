"""The policy that acts at 10 Hz: what it learns from, how it plans, and that a scene's seed decides all of it."""

import dataclasses
from unittest.mock import patch

import numpy as np
import pytest
import torch

from vla_course.data.windows import WindowDataset
from vla_course.errors import CourseError
from vla_course.evaluation.report import table
from vla_course.evaluation.rollouts import Evaluation, env_of, load_policy, rollout
from vla_course.models.policy import VLAConfig, VLAPolicy, closed_loop
from vla_course.sim.env import TabletopEnv
from vla_course.sim.experts import ClosedLoopExpert
from vla_course.training.behavior_cloning import demonstrations, new_policy
from vla_course.training.trainer import TrainConfig, train


@pytest.fixture(scope="module")
def windows(followed):
    return demonstrations(followed)


@pytest.fixture(scope="module")
def policy(windows):
    policy = new_policy(windows, seed=0)
    policy.set_statistics(windows.metadata["statistics"])
    return policy


def test_what_a_simulator_knows_is_recorded_from_the_hand(followed):
    """A picked object ends between the fingers; a place in the bowl begins where no object is."""
    dataset = WindowDataset(followed, every_step=True)
    ends = np.cumsum([episode["length"] for episode in dataset.episodes])
    for episode, end in zip(dataset.episodes, ends, strict=True):
        first, last = dataset[int(end) - episode["length"]], dataset[int(end) - 1]
        apart = (first["relative_positions"][0] - first["relative_positions"][1]).norm()
        if episode["task"] == "pick":
            assert last["relative_positions"][0].norm() < 0.03
            assert apart == 0 and torch.equal(first["target_pixel"], first["reference_pixel"])
        else:
            assert apart > 0.05 and not torch.equal(first["target_pixel"], first["reference_pixel"])
            assert (last["relative_positions"][0] - last["relative_positions"][1])[:2].norm() < 0.06
    held = dataset[int(ends[0]) - 1]["wrist_pixels"][0]
    assert ((held > 0.2) & (held < 0.8)).all()  # what is held is before the wrist camera


def test_it_sees_both_cameras_and_learns_from_every_step(windows, policy):
    assert policy.config.cameras == ["front", "wrist"] and policy.config.action_mode == "ee_delta"
    assert len(windows) == sum(episode["length"] for episode in windows.episodes)
    batch = windows.__getitems__([0, 5, 9])
    loss, parts = policy(batch)
    loss.backward()
    assert set(parts) == {"action_loss", "grounding_loss", "relative_loss"}
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for eye in policy.eyes.values() for p in eye.parameters())
    policy.zero_grad()


def test_it_plans_again_after_two_actions_and_begins_each_plan_with_what_it_sees(windows, policy):
    first, second = windows.__getitems__([0]), windows.__getitems__([9])
    policy.reset()
    start = {"start_positions": policy.places(first)}
    chunks = {id(b): policy.predict_action_chunk({**b, **start})[0] for b in (first, second)}
    actions = [policy.select_action(b)[0] for b in (first, second, second, first)]
    expected = [chunks[id(first)][0], chunks[id(first)][1], chunks[id(second)][0], chunks[id(second)][1]]
    assert all(torch.equal(a, b) for a, b in zip(actions, expected, strict=True))


def test_averaged_plans_lie_between_the_plans(windows, policy):
    averaging = VLAPolicy.seeded(closed_loop(words=policy.config.words, ensemble=True), seed=0)
    averaging.load_state_dict(policy.state_dict())
    batches = windows.__getitems__([0]), windows.__getitems__([1])
    start = {"start_positions": averaging.places(batches[0])}
    first, second = (averaging.predict_action_chunk({**b, **start})[0] for b in batches)
    averaging.reset()
    assert torch.allclose(averaging.select_action(batches[0])[0], first[0])
    action = averaging.select_action(batches[1])[0]
    low, high = torch.minimum(first[1], second[0]), torch.maximum(first[1], second[0])
    assert ((low - 1e-6 <= action) & (action <= high + 1e-6)).all()


def test_it_remembers_where_things_were_until_the_episode_ends(windows, policy):
    first, later = windows.__getitems__([0]), windows.__getitems__([9])
    policy.reset()
    policy.select_action(first)
    policy.select_action(first)
    remembering = policy.select_action(later)
    policy.reset()
    assert not torch.equal(policy.select_action(later), remembering)
    true = windows.__getitems__([0, 5])["start_positions"]
    assert torch.equal(true[0], true[1])  # of one episode


class Expert:
    """Knows the truth, and acts ten times a second."""

    def __init__(self, env: TabletopEnv):
        self.expert = ClosedLoopExpert(env)

    def reset(self) -> None:
        self.expert.reset()

    def select_action(self, batch: dict) -> torch.Tensor:
        assert {"observation.images.front", "observation.images.wrist"} <= batch.keys()
        return torch.from_numpy(self.expert.act())[None]


def test_an_expert_at_10_hz_is_measured_like_any_policy():
    env = TabletopEnv("place", action_mode="ee_delta")
    trials = [rollout(Expert(env), env, seed) for seed in range(3)]
    env.close()
    assert all(t.success and 10 < t.steps < 60 and t.seconds == pytest.approx(t.steps / 10) for t in trials)
    evaluation = Evaluation("normal", trials)
    assert evaluation.waypoint_error is None and "mean_waypoint_error_m" not in evaluation.to_json()
    assert table({"normal": evaluation}).splitlines()[1].rstrip().endswith("3/3 [0.439, 1.000]")


@pytest.mark.parametrize("decoder", ["flow", "diffusion"])
def test_what_is_drawn_while_it_acts_comes_from_the_scene_alone(windows, decoder, tmp_path):
    policy = new_policy(windows, seed=0, decoder=decoder)
    policy.set_statistics(windows.metadata["statistics"])
    policy.save_pretrained(tmp_path)
    loaded = load_policy(tmp_path)
    env = env_of(loaded, "pick")
    env.max_steps = 4
    state = torch.get_rng_state()
    once, other, again = (film(loaded, env, seed) for seed in (5, 6, 5))
    env.close()
    assert np.array_equal(once, again) and not np.array_equal(once, other)
    assert torch.equal(torch.get_rng_state(), state)


def film(policy: VLAPolicy, env: TabletopEnv, seed: int) -> np.ndarray:
    frames: list[np.ndarray] = []
    rollout(policy, env, seed, film=frames)
    return np.stack(frames)


@pytest.mark.parametrize("cameras", [["wrist", "front"], ["wrist"], ["overhead"]])
def test_any_cameras_in_any_order_learn_and_act(windows, cameras):
    policy = VLAPolicy.seeded(dataclasses.replace(new_policy(windows, seed=0).config, cameras=cameras), 0)
    batch = windows.__getitems__([0, 5, 9])
    batch["observation.images.overhead"] = batch["observation.images.front"]
    asked = [policy._understand(batch, batch["pointing.task"])[2][camera].shape[2] for camera in cameras]
    assert asked == [2 + 3 * (camera == "front") for camera in cameras]
    assert (policy(batch)[1]["grounding_loss"] > 0) == (cameras != ["overhead"])
    env = env_of(policy, "pick")
    env.max_steps = 1
    assert rollout(policy, env, seed=0).steps == 1
    env.close()


def test_what_no_simulator_told_is_not_asked_for(windows, followed):
    known = ("relative_positions", "start_positions", "target_pixel", "reference_pixel", "wrist_pixels")
    real = demonstrations(followed)
    del real.metadata["features"]["relative_positions"]
    policy = new_policy(real, seed=0)
    assert not policy.config.memory and policy.config.relative_weight == 0
    batch = windows.__getitems__([0, 5, 9])
    batch = {key: value for key, value in batch.items() if key not in known and not key.startswith("pointing")}
    loss, parts = policy(batch)
    assert loss == parts["action_loss"] > 0 and policy.select_action(batch).shape == (3, 7)


def test_training_in_the_mirror_is_repeatable_and_something_else_than_without(windows, tmp_path):
    losses = {}
    for name, mirror in (("plain", False), ("mirrored", True), ("again", True)):
        config = TrainConfig(epochs=1, batch_size=16, validation=0.3, mirror=mirror)
        losses[name] = train(new_policy(windows, seed=0), windows, config, tmp_path / name)[0]["training_loss"]
    assert losses["mirrored"] == losses["again"] != losses["plain"]


def test_parts_that_do_not_fit_are_refused():
    with pytest.raises(CourseError, match="relative_weight=0.3 needs a hidden layer"):
        VLAPolicy(VLAConfig(relative_weight=0.3))
    with pytest.raises(CourseError, match="execute=2 of chunks of 1 actions; execute at most"):
        VLAPolicy(closed_loop(chunk=1))
    with pytest.raises(CourseError, match="'concatenate'.*concat"):
        VLAPolicy(VLAConfig(fusion="concatenate"))
    with pytest.raises(CourseError, match="'gaussian'.*flow"):
        VLAPolicy(VLAConfig(decoder="gaussian"))
    for field, value in {
        "heads": 0,
        "glance": -1,
        "questions": 3,
        "dropout": 2.0,
        "image_size": 0,
        "cameras": [],
    }.items():
        with pytest.raises(CourseError, match=f"{field}=.*; .*give"):
            VLAPolicy(VLAConfig(**{field: value}))
    with pytest.raises(CourseError, match="'a.b'.*wrist"):
        VLAPolicy(VLAConfig(cameras=["a.b"]))


def test_a_policy_fits_its_demonstrations_or_is_refused(windows):
    with pytest.raises(CourseError, match="camera that recorded 'overhead'.*front"):
        new_policy(windows, seed=0, cameras=["overhead"])
    with patch.dict(windows.metadata, action_mode="joint_delta"), pytest.raises(CourseError, match="'joint_delta'"):
        new_policy(windows, seed=0)
    narrow = {**windows.metadata["features"], "state": {"shape": [8]}}
    with patch.dict(windows.metadata, features=narrow), pytest.raises(CourseError, match=r"state of shape \[8\]"):
        new_policy(windows, seed=0)
    with patch.dict(windows.metadata, robot="kuka,panda", image_size=96):
        config = new_policy(windows, seed=0).config
    assert (config.robot, config.image_size) == ("kuka", 96)
