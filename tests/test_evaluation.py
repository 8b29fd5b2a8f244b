"""The figures are right, and the controls show what they claim to show."""

import json
import math
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from vla_course import demo
from vla_course.errors import CourseError
from vla_course.evaluation.rollouts import CONDITIONS, another_object, env_of, evaluate, load_policy, rollout
from vla_course.evaluation.statistics import SuccessRate, mcnemar, success_rate
from vla_course.models.policy import VLAPolicy
from vla_course.seeds import scene_seed
from vla_course.sim.env import TabletopEnv
from vla_course.sim.experts import ClosedLoopExpert
from vla_course.sim.tasks import TASKS, get_task


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_is_wilsons(counts):
    k, n = counts
    low, high = SuccessRate(k, n).wilson_95
    theirs = binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert 0 <= low <= k / n <= high <= 1


def test_the_seconds_of_a_phase_that_was_stopped_count(tmp_path):
    for expected in (0.1, 0.2):
        with pytest.raises(KeyboardInterrupt), demo._phase(tmp_path, "collect"):
            time.sleep(0.06)
            raise KeyboardInterrupt
        assert json.loads((tmp_path / "seconds.json").read_text())["collect"] >= expected
    with pytest.raises(CourseError, match="no folder"), demo._phase(tmp_path / "nowhere", "collect"):
        raise CourseError("no folder")


outcomes = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


@given(outcomes)
def test_mcnemar_counts_only_where_the_two_differ(pairs):
    first, second = zip(*pairs, strict=True)
    b = sum(x and not y for x, y in pairs)
    n = sum(x != y for x, y in pairs)
    tail = sum(math.comb(n, k) for k in range(min(b, n - b) + 1)) / 2**n
    assert mcnemar(first, second) == pytest.approx(min(1.0, 2 * tail) if n else 1.0)
    assert mcnemar(first, second) == mcnemar(second, first)


def test_success_rates_print_with_their_interval():
    assert str(success_rate([True] * 17 + [False] * 3)) == "17/20 [0.640, 0.948]"


@pytest.mark.parametrize("task", TASKS)
def test_a_wrong_instruction_asks_for_something_that_can_be_done(task):
    """Also where no other object can be named: nothing else can be pressed, opened, closed or sorted."""

    class Obedient:
        """Knows what a wrong instruction asks for, and does it."""

        def reset(self):
            self.expert = ClosedLoopExpert(env)

        def select_action(self, batch):
            world, own = env.world, env.task
            scene, named = world.scene, another_object(world.scene, seed)
            assert scene.objects[named].name in batch["task"][0]
            env.task = own if own.renames else get_task("pick")
            world.scene = replace(scene, target=named)
            action = self.expert.act()
            env.task, world.scene = own, scene
            return torch.from_numpy(action)[None]

    env, seed = TabletopEnv(task, cameras=()), 1
    trial = rollout(Obedient(), env, seed, "wrong_instruction")
    assert trial.named_success and not trial.success and trial.steps > 1
    env.close()


def test_a_policy_acts_with_the_robot_and_the_pictures_that_it_was_shown(shipped, tmp_path):
    policy = VLAPolicy(replace(load_policy(shipped).config, robot="xarm6", image_size=96))
    policy.save_pretrained(tmp_path)
    for robot, expected in ((None, "xarm6"), ("kuka", "kuka")):
        env = env_of(load_policy(tmp_path), "pick", robot, {"table": "unseen"})
        assert (env.world.robot_name, env.image_size, env.variety) == (expected, 96, {"table": "unseen"})
        env.close()


def test_an_axis_can_be_varied_in_an_evaluation(shipped):
    usual, varied = (
        evaluate(shipped, "pick", [5], ("normal",), 1, variety=v)["normal"] for v in ({}, {"size": "unseen"})
    )
    assert usual.trials != varied.trials and usual.trials[0].instruction == varied.trials[0].instruction


class Expert:
    """A stand-in that knows the truth, looks at nothing but the instruction, and obeys it."""

    def __init__(self, env: TabletopEnv):
        self.env = env

    def reset(self) -> None:
        self.plan = None

    def select_action(self, batch: dict) -> torch.Tensor:
        world = self.env.world
        if self.plan is None:
            scene = world.scene
            named = [i for i, thing in enumerate(scene.objects) if thing.name in batch["task"][0]]
            world.scene = type(scene)(scene.objects, named[0], scene.reference, scene.phrasing)
            self.plan = list(self.env.expert_waypoints())
            world.scene = scene
        return torch.from_numpy(self.plan.pop(0))[None]


class Deaf(Expert):
    """Picks the scene's target whatever it is told."""

    def select_action(self, batch: dict) -> torch.Tensor:
        scene = self.env.world.scene
        return super().select_action({"task": [scene.objects[scene.target].name]})


@pytest.fixture(scope="module")
def env():
    env = TabletopEnv(action_mode="waypoint", cameras=("front",))
    yield env
    env.close()


def test_an_obedient_policy_passes_the_controls_and_a_deaf_one_is_caught(env):
    for policy, original in ((Expert(env), False), (Deaf(env), True)):
        for seed in range(6):
            assert rollout(policy, env, seed).success
            assert rollout(policy, env, seed, "held_out_phrasings").success
            told_otherwise = rollout(policy, env, seed, "wrong_instruction")
            assert told_otherwise.success is original
            assert told_otherwise.named_success is not original


def test_the_waypoint_error_is_zero_for_the_expert(env):
    for condition in ("normal", "wrong_instruction"):
        assert rollout(Expert(env), env, 4, condition).waypoint_error == 0.0


def test_any_seed_names_a_scene(env):
    """The grader draws from 64 random bits, and its scenes have larger seeds still."""
    assert rollout(Expert(env), env, scene_seed(2**64 - 1, 0, test=True)).success


def test_controls_change_what_the_policy_gets(env):
    seen = {}

    class Spy(Expert):
        def select_action(self, batch):
            seen[condition] = batch
            return super().select_action({"task": [self.env.world.scene.objects[0].name]})

    for condition in CONDITIONS:
        rollout(Spy(env), env, 3, condition)
    assert seen["blank_image"]["observation.images.front"].abs().max() == 0
    assert seen["normal"]["observation.images.front"].max() > 0.5
    sentences = {condition: batch["task"][0] for condition, batch in seen.items()}
    assert sentences["normal"] == sentences["blank_image"]
    assert len(set(sentences.values())) == 3


def test_the_shipped_policy_looks_and_reads_and_workers_change_nothing(shipped):
    seeds = [scene_seed(77, i, test=True) for i in range(12)]
    serial = evaluate(shipped, "pick", seeds, workers=1)
    parallel = evaluate(shipped, "pick", seeds, workers=2)
    assert {name: e.trials for name, e in serial.items()} == {name: e.trials for name, e in parallel.items()}
    assert serial["normal"].rate.successes >= 9
    assert serial["held_out_phrasings"].rate.successes >= 9
    assert serial["wrong_instruction"].named_rate.successes >= 9
    assert serial["wrong_instruction"].rate.successes <= 2
    assert serial["blank_image"].rate.successes <= 2
    assert [t.seed for t in parallel["normal"].trials] == seeds
    assert np.mean([t.waypoint_error for t in serial["normal"].trials]) < 0.03


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seeds": []}, "no scenes"),
        ({"conditions": ["upside_down"]}, "'upside_down'.*blank_image"),
        ({"task": "fly"}, "'fly'"),
        ({"robot": "ur5"}, "'ur5'.*xarm6"),
        ({"variety": {"mood": "seen"}}, "'mood'.*light"),
    ],
)
def test_bad_input_is_found_before_any_work(shipped, arguments, message):
    with pytest.raises(CourseError, match=message):
        evaluate(**{"policy": shipped, "task": "pick", "seeds": [1], "workers": 1, **arguments})
