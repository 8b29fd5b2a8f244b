"""The world keeps its promises: standard checks pass, seeds decide everything, experts succeed."""

import itertools
import re
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.env_checker import check_env as sb3_check_env

import vla_course.sim  # noqa: F401  (registers the environment)
from vla_course.collection.wrappers import TokenizedInstruction
from vla_course.data.tokenizer import WordTokenizer
from vla_course.errors import CourseError
from vla_course.sim.cameras import FRONT
from vla_course.sim.env import ACTION_MODES, LETTERS, REACH, TabletopEnv
from vla_course.sim.low_poly import coarse_hull
from vla_course.sim.tasks import TASKS, WAYPOINTS

NAME = "vla_course/Tabletop-v0"


@pytest.fixture(scope="module")
def delta_env():
    env = TabletopEnv(cameras=())
    yield env
    env.close()


def episode(env: TabletopEnv, seed: int) -> list[bytes]:
    """Everything that can be seen of an expert's episode, as bytes."""
    observation, info = env.reset(seed=seed)
    seen = []
    for action in itertools.chain([None], env.expert_actions()):
        if action is not None:
            observation, reward, terminated, truncated, info = env.step(action)
        seen += [observation["front"].tobytes(), observation["state"].tobytes(), observation["joints"].tobytes()]
        seen += [repr(info["goal_conditions"]).encode(), np.float64(info["grip_force"]).tobytes()]
    return seen


@pytest.mark.parametrize("mode", ACTION_MODES)
def test_gymnasium_accepts_the_environment(mode):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(Box observation space|render_mode|infinity|action space).*")
        env = gymnasium.make(NAME, action_mode=mode, image_size=32, modalities=("rgb", "depth", "segmentation"))
        check_env(env.unwrapped, skip_render_check=True)
        env.close()


def test_stable_baselines3_accepts_it_with_the_sentence_as_tokens():
    tokenizer = WordTokenizer.from_sentences(
        phrasing.replace("{target}", "red cube") for phrasing in TASKS["pick"].phrasings
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sb3_check_env(TokenizedInstruction(gymnasium.make(NAME, image_size=36), tokenizer))


def test_vectorised_environments_see_what_single_ones_see():
    vector = gymnasium.make_vec(
        NAME, num_envs=2, vectorization_mode="async", vector_kwargs={"shared_memory": False}, image_size=32
    )
    seen, _ = vector.reset(seed=[3, 4])
    action = np.full((2, 7), 0.3, dtype=np.float32)
    after, *_ = vector.step(action)
    vector.close()
    single = TabletopEnv(image_size=32)
    for i, seed in enumerate((3, 4)):
        observation, _ = single.reset(seed=seed)
        assert np.array_equal(seen["front"][i], observation["front"])
        assert seen["instruction"][i] == observation["instruction"]
        observation, *_ = single.step(action[i])
        assert np.array_equal(after["state"][i], observation["state"])
    single.close()


@pytest.mark.parametrize("task", TASKS)
def test_a_seed_decides_every_bit_whatever_came_before(task):
    env, fresh = (TabletopEnv(task, action_mode="waypoint", cameras=("front",)) for _ in range(2))
    first = episode(fresh, 5)
    for seed in (1, 2, 5, 3):
        last = episode(env, seed)
        assert (last == first) == (seed == 5)
    assert episode(env, 5) == first


@pytest.mark.parametrize("task", TASKS)
def test_experts_succeed(task):
    # make bench measures 500 scenes a task; here are enough to see a broken expert.
    env = TabletopEnv(task, action_mode="waypoint", cameras=())
    succeeded = []
    for seed in range(12):
        env.reset(seed=seed)
        for action in env.expert_actions():
            *_, terminated, truncated, info = env.step(action)
        succeeded.append(info["success"])
    env.close()
    assert sum(succeeded) >= 11


@pytest.mark.parametrize("task", TASKS)
def test_nothing_succeeds_without_doing_anything(task):
    env = TabletopEnv(task, action_mode="waypoint", cameras=())
    for seed in range(5):
        env.reset(seed=seed)
        stay = np.append(env.world.robot.proprioception()[:6], 1.0)
        *_, info = env.step(stay)
        assert not info["success"]


@pytest.mark.parametrize("task", TASKS)
def test_every_sentence_fits_the_observation_space_and_names_one_object(task):
    env = TabletopEnv(task, action_mode="waypoint", cameras=())
    for seed in range(50):
        scene = env.task.scene(np.random.default_rng(seed))
        names = [thing.name for thing in scene.objects]
        assert len(set(names)) == len(names)
        for phrasing in (*env.task.phrasings, *env.task.held_out_phrasings):
            sentence = scene.instruction(phrasing)
            assert set(sentence) <= set(LETTERS) and len(sentence) <= 120
            assert names[scene.target] in sentence or "{target}" not in phrasing
    assert len(env.task.phrasings) >= 6 and len(env.task.held_out_phrasings) >= 3
    assert not set(env.task.phrasings) & set(env.task.held_out_phrasings)


def test_pictures_show_the_target_where_the_projection_says():
    env = TabletopEnv(action_mode="waypoint", cameras=("front",), modalities=("rgb", "depth", "segmentation"))
    for seed in range(10):
        observation, info = env.reset(seed=seed)
        for i, body in enumerate(env.world.bodies):
            u, v = (info["pixels"][i] * 64).astype(int)
            assert observation["front_segmentation"][v, u] == body
            distance = np.linalg.norm(env.world.position(i) - FRONT.eye)
            assert abs(observation["front_depth"][v, u] - distance) < 0.06
    env.close()


@pytest.mark.parametrize("camera", ("front", "overhead"))
def test_the_projection_is_right_to_a_fraction_of_a_pixel(camera):
    env = TabletopEnv(action_mode="waypoint", cameras=(camera,), modalities=("segmentation",))
    misses = []
    for seed in range(12):
        observation, _ = env.reset(seed=seed)
        for i, item in enumerate(env.world.scene.objects):
            if item.shape == "ball":  # round from everywhere
                v, u = np.nonzero(observation[f"{camera}_segmentation"] == env.world.bodies[i])
                center = np.array([u.mean(), v.mean()]) + 0.5
                misses.append(center - 64 * env.world.view(camera).project(env.world.position(i)))
    env.close()
    assert np.abs(np.mean(misses, axis=0)).max() < 0.05 and np.abs(misses).max() < 0.4


def test_left_in_a_sentence_is_left_in_the_picture():
    for side, sign in (("left", -1), ("right", 1)):
        env = TabletopEnv(f"push_{side}", action_mode="waypoint", cameras=())
        _, before = env.reset(seed=0)
        for action in env.expert_waypoints():
            *_, after = env.step(action)
        target = env.world.scene.target
        assert sign * (after["pixels"][target] - before["pixels"][target])[0] > 0.1
        env.close()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.floats(-1, 1, width=32), min_size=7, max_size=7), min_size=1, max_size=4))
def test_no_action_takes_the_tool_out_of_reach(delta_env, actions):
    delta_env.reset(seed=0)
    for action in actions:
        observation, *_ = delta_env.step(np.array(action))
        assert np.isfinite(observation["state"]).all()
        assert (observation["state"][:3] > REACH[:, 0] - 0.03).all()
        assert (observation["state"][:3] < REACH[:, 1] + 0.03).all()


def test_a_delta_action_moves_the_tool_by_its_documented_step(delta_env):
    before, _ = delta_env.reset(seed=0)
    for _ in range(4):
        after, *_ = delta_env.step(np.array([0, 1, -1, 0, 0, 0, 1.0]))
    moved = after["state"][:3] - before["state"][:3]
    assert np.allclose(moved, [0, 0.2, -0.2], atol=0.03)


def test_joint_modes_reach_the_same_pose():
    absolute = TabletopEnv(action_mode="joint_position", cameras=())
    absolute.reset(seed=0)
    goal = np.array([0.3, 0.1, 0.0, -2.2, 0.0, 2.2, 0.8])
    for _ in range(15):
        reached, *_ = absolute.step(np.append(goal, 1.0))
    assert np.allclose(reached["joints"], goal, atol=0.02)
    relative = TabletopEnv(action_mode="joint_delta", cameras=())
    observation, _ = relative.reset(seed=0)
    for _ in range(25):
        observation, *_ = relative.step(np.append(np.clip((goal - observation["joints"]) / 0.15, -1, 1), 1.0))
    assert np.allclose(observation["joints"], goal, atol=0.02)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"task": "fly"}, "'fly'.*pick"),
        ({"robot": "r2d2"}, "'r2d2'.*panda"),
        ({"cameras": ("back",)}, "'back'.*front"),
        ({"action_mode": "telepathy"}, "'telepathy'.*ee_delta"),
        ({"modalities": ("smell",)}, "'smell'.*depth"),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(arguments, names):
    with pytest.raises(CourseError, match=names) as caught:
        TabletopEnv(**arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("action", [[np.nan] * 7, [0.0] * 6, [np.inf] + [0.0] * 6])
def test_an_impossible_action_is_refused(delta_env, action):
    delta_env.reset(seed=0)
    with pytest.raises(CourseError, match="finite|shape"):
        delta_env.step(np.array(action))


def test_the_coarse_hull_is_closed_and_faces_outward():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(200, 3)) * 0.05
    hull = coarse_hull("".join("v {} {} {}\n".format(*point) for point in points))
    vertices = np.array([line.split()[1:] for line in hull.splitlines() if line.startswith("v")], dtype=float)
    faces = np.array([re.findall(r"\d+", line) for line in hull.splitlines() if line.startswith("f")], dtype=int) - 1
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    assert (np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6) > 0  # signed volume: positive is outward
    edges = [tuple(sorted((face[i], face[(i + 1) % 3]))) for face in faces for i in range(3)]
    assert all(edges.count(edge) == 2 for edge in set(edges))  # every edge joins two triangles


def test_there_are_as_many_waypoints_as_steps():
    env = TabletopEnv(action_mode="waypoint", cameras=())
    env.reset(seed=0)
    assert env.expert_waypoints().shape == (WAYPOINTS, 7)
    env.close()
