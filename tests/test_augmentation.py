"""What augmentation changes, it changes everywhere; what it must not change, stays."""

import colorsys
from dataclasses import replace
from functools import partial

import numpy as np
import pybullet
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import v2

from vla_course.collection.scripted import record
from vla_course.data.augmentation import (
    as_tv_tensors,
    augment,
    blur,
    color_jitter,
    cut_out,
    depth_drop_out,
    depth_noise,
    shift_crop,
)
from vla_course.data.mirror import JOINTS, SIGNS, mirror, mirror_episode, mirror_half, random_mirror, swap_sides
from vla_course.data.paraphrase import paraphrase, paraphrases
from vla_course.data.windows import WindowDataset
from vla_course.errors import CourseError
from vla_course.sim.cameras import FRONT
from vla_course.sim.env import LETTERS, TabletopEnv
from vla_course.sim.objects import COLORS
from vla_course.sim.robots import ROBOTS, Robot
from vla_course.sim.tasks import TASKS
from vla_course.sim.world import Scene

IMAGE, DEPTH, BODIES = (f"observation.{kind}.front" for kind in ("images", "depth", "segmentation"))
SIZE = 32
MIRRORED_TASKS = {"pick": "pick", "place": "place", "push_left": "push_right", "push_right": "push_left"}
seeds = st.integers(0, 10_000)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make_batch(seed: int, rows: int = 3) -> dict:
    """A batch in which one pixel of each picture, the target's, is like no other."""
    draw = generator(seed)
    column, row = torch.randint(6, SIZE - 6, (2, rows), generator=draw)
    each = torch.arange(rows)
    batch = {
        IMAGE: 0.2 + 0.3 * torch.rand(rows, 3, SIZE, SIZE, generator=draw),
        DEPTH: 0.8 + 0.1 * torch.rand(rows, SIZE, SIZE, generator=draw),
        BODIES: torch.randint(-1, 4, (rows, SIZE, SIZE), generator=draw, dtype=torch.int32),
        "observation.state": torch.rand(rows, 7, generator=draw),
        "action": torch.rand(rows, 5, 7, generator=draw),
        "action_is_pad": torch.zeros(rows, 5, dtype=torch.bool),
        "target_pixel": (torch.stack([column, row], 1) + 0.5) / SIZE,
        "task": ["push the red cube to the left"] * rows,
        "pointing.task": [["push the blue cube to the left"] * 2] * rows,
        "pointing.pixel": torch.rand(rows, 2, 2, generator=draw),
    }
    batch[IMAGE][each, :, row, column] = 1.0
    batch[DEPTH][each, row, column] = 0.5
    batch[BODIES][each, row, column] = 9
    return batch


def same(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.allclose(one, other, atol=1e-6)
    return one == other


def changed_keys(before: dict, after: dict) -> set[str]:
    assert before.keys() == after.keys()
    return {key for key in before if not same(before[key], after[key])}


def marks(batch: dict) -> list[list[int]]:
    """Where the marked pixel is in image, depth, segmentation, and where the target is said to be; of all rows."""
    places = [batch[IMAGE].sum(1).flatten(1).argmax(1), batch[DEPTH].flatten(1).argmin(1)]
    places.append(batch[BODIES].flatten(1).argmax(1))
    column, row = (batch["target_pixel"] * SIZE).floor().long().unbind(1)
    return [place.tolist() for place in (*places, row * SIZE + column)]


MOVES = {"shift_crop": partial(shift_crop, limit=5), "mirror": lambda sample, _: mirror(sample)}


@pytest.mark.parametrize("move", MOVES)
@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_image_depth_segmentation_and_target_move_together(move, seed):
    batch = make_batch(seed, rows=4)
    moved = augment(batch, generator(seed), [MOVES[move]])
    before, after = marks(batch), marks(moved)
    assert before[0] == before[1] == before[2] == before[3]
    assert after[0] == after[1] == after[2] == after[3]
    assert after != before
    if move == "mirror":
        for key in ("target_pixel", "pointing.pixel"):
            assert torch.allclose(moved[key] - 0.5, (batch[key] - 0.5) * torch.tensor([-1.0, 1.0]), atol=1e-6)
    if move == "shift_crop":
        shifts = (moved["target_pixel"] - batch["target_pixel"]) * SIZE
        pointing = (moved["pointing.pixel"] - batch["pointing.pixel"]) * SIZE
        assert torch.allclose(pointing, shifts.unsqueeze(1).expand_as(pointing), atol=1e-4)
        for picture, old, (right, down) in zip(moved[DEPTH], batch[DEPTH], shifts.round().long(), strict=True):
            rows, columns = ((torch.arange(SIZE) - by).clamp(0, SIZE - 1) for by in (down, right))
            assert torch.equal(picture, old[rows][:, columns])  # the border is repeated


EXPECTED = {
    shift_crop: {IMAGE, DEPTH, BODIES, "target_pixel", "pointing.pixel"},
    color_jitter: {IMAGE},
    blur: {IMAGE},
    cut_out: {IMAGE, DEPTH, BODIES},
    depth_noise: {DEPTH},
    depth_drop_out: {DEPTH},
    random_mirror: {
        *(IMAGE, DEPTH, BODIES, "target_pixel", "pointing.pixel"),
        *("observation.state", "action", "task", "pointing.task"),
    },
    paraphrase: {"task", "pointing.task"},
}


@pytest.mark.parametrize("transform", EXPECTED, ids=lambda transform: transform.__name__)
def test_each_change_has_its_own_draw_for_each_row_and_touches_nothing_else(transform):
    one = make_batch(1, rows=1)
    batch = {key: torch.cat([rows] * 12) if isinstance(rows, torch.Tensor) else rows * 12 for key, rows in one.items()}
    copy = {key: rows.clone() if isinstance(rows, torch.Tensor) else list(rows) for key, rows in batch.items()}
    changed = augment(batch, generator(0), [transform])
    assert changed_keys(batch, copy) == set()  # the given batch stays as it was
    assert changed_keys(batch, changed) == EXPECTED[transform]
    assert changed_keys(changed, augment(batch, generator(0), [transform])) == set()
    for key in EXPECTED[transform]:  # twelve equal rows became different ones
        assert any(not same(changed[key][0], row) for row in changed[key][1:])
    for key, rows in batch.items():
        if isinstance(rows, torch.Tensor):
            assert changed[key].dtype == rows.dtype and changed[key].shape == rows.shape
            assert type(changed[key]) is torch.Tensor


def test_the_colors_of_the_course_keep_their_names_in_another_light():
    hues = {name: colorsys.rgb_to_hsv(*rgb)[0] for name, rgb in COLORS.items() if name not in ("white", "black")}
    names = list(hues) * 40
    images = torch.tensor([COLORS[name] for name in names]).view(-1, 3, 1, 1).expand(-1, 3, 4, 4)
    changed = augment({"observation.images.wrist": images}, generator(0), [color_jitter])["observation.images.wrist"]
    assert changed.min() >= 0 and changed.max() <= 1 and (changed - images).abs().max() > 0.2
    for name, image in zip(names, changed, strict=True):
        hue = colorsys.rgb_to_hsv(*image[:, 0, 0].tolist())[0]
        assert min(hues, key=lambda other: abs((hue - hues[other] + 0.5) % 1 - 0.5)) == name


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_what_is_cut_out_is_cut_out_of_everything(seed):
    batch = make_batch(seed)
    changed = augment(batch, generator(seed), [partial(cut_out, largest=0.9)])
    hidden = changed[DEPTH] == 0
    assert (changed[BODIES][hidden] == -1).all()
    for key in (DEPTH, BODIES):
        assert torch.equal(changed[key][~hidden], batch[key][~hidden])
    for row, gone in enumerate(hidden):
        assert torch.equal(changed[IMAGE][row][:, ~gone], batch[IMAGE][row][:, ~gone])
        assert (changed[IMAGE][row][:, gone] == batch[IMAGE][row].mean((1, 2)).unsqueeze(1)).all()


@pytest.mark.filterwarnings("ignore:.*RandomErasing.*")
def test_torchvisions_own_erasing_leaves_depth_behind():
    sample = as_tv_tensors({key: rows[0] for key, rows in make_batch(0).items()})
    erased = v2.RandomErasing(p=1.0)({key: sample[key] for key in (IMAGE, DEPTH)})
    assert not torch.equal(erased[IMAGE], sample[IMAGE]) and torch.equal(erased[DEPTH], sample[DEPTH])


def test_depth_noise_grows_with_the_square_of_the_distance_and_what_was_not_read_stays_so():
    depth = torch.tensor([0.0, 1.0, 2.0]).view(3, 1, 1).expand(3, 100, 100)
    noise = augment({DEPTH: depth}, generator(0), [depth_noise])[DEPTH] - depth
    assert torch.allclose(noise.flatten(1).std(1), torch.tensor([0, 1.425e-3, 4 * 1.425e-3]), rtol=0.05)
    lost = augment({DEPTH: torch.ones(50, 100, 100)}, generator(0), [depth_drop_out])[DEPTH] == 0
    shares = lost.flatten(1).float().mean(1)
    assert shares.min() < 0.02 and 0.08 < shares.max() < 0.11


def test_a_pixel_of_the_front_camera_is_as_wide_on_the_table_as_shift_crop_says():
    at = [FRONT.project(np.array([0.48, y, 0.02])) for y in (0.0, 0.1)]
    assert 0.1 / (64 * np.linalg.norm(at[1] - at[0])) == pytest.approx(0.0076, abs=0.0001)
    assert "by 7.6 mm" in shift_crop.__doc__


def test_batches_that_do_not_fit_together_are_refused():
    batch = make_batch(0)
    batch["task"] = batch["task"][:2]
    with pytest.raises(CourseError, match="'task': 2"):
        augment(batch, generator(0), [color_jitter])


# The mirror.


def in_the_mirror(scene: Scene) -> Scene:
    objects = tuple(replace(thing, y=-thing.y, yaw=-thing.yaw) for thing in scene.objects)
    return replace(scene, objects=objects, phrasing=swap_sides(scene.phrasing))


def make_env(task: str) -> TabletopEnv:
    return TabletopEnv(task, action_mode="waypoint", cameras=("front", "wrist"), modalities=("rgb", "segmentation"))


@pytest.fixture(scope="module", params=MIRRORED_TASKS)
def played(request):
    """Expert's episodes of a task, and of each its scene and what was seen of the mirrored actions there."""
    env, other = make_env(request.param), make_env(MIRRORED_TASKS[request.param])
    games = []
    for seed in range(5):
        episode = record(env, seed)
        scene = env.world.scene
        flipped = mirror_episode(episode)
        observation, info = other.reset(seed=0, options={"scene": in_the_mirror(scene)})
        bodies, seen = other.world.bodies, []
        for action in flipped.steps["action"]:
            seen.append(observation)
            observation, _, _, _, info = other.step(action)
        games.append((episode, flipped, bodies, seen, info))
    env.close()
    other.close()
    return games


def test_a_mirrored_episode_succeeds_in_the_mirrored_world(played):
    outcomes = [(episode.metadata["success"], info["success"]) for episode, _, _, _, info in played]
    assert all(before == after for before, after in outcomes)
    assert sum(before for before, _ in outcomes) >= 4


def test_the_unmirrored_actions_fail_there():
    env = make_env("pick")
    outcomes = []
    for seed in range(3):
        episode = record(env, seed)
        _, info = env.reset(seed=0, options={"scene": in_the_mirror(env.world.scene)})
        for action in episode.steps["action"]:
            *_, info = env.step(action)
        outcomes.append(info["success"])
    env.close()
    assert not any(outcomes)


def test_a_mirrored_episode_is_what_is_seen_and_felt_and_said_there(played):
    for episode, flipped, bodies, seen, _ in played:
        assert flipped.instruction == seen[0]["instruction"]
        assert swap_sides(episode.metadata["task"]) == flipped.metadata["task"] in MIRRORED_TASKS
        assert np.allclose(flipped.steps["state"][:, :3], [o["state"][:3] for o in seen], atol=0.01)
        assert np.median(np.abs(flipped.steps["state"] - [o["state"] for o in seen])) < 0.002
        assert np.median(np.abs(flipped.steps["joints"] - [o["joints"] for o in seen])) < 0.01
        for name in ("front_segmentation", "wrist_segmentation"):
            for body in bodies:  # objects only: the arm is not the same on both sides
                there, flip = (picture == body for picture in (seen[0][name], flipped.frames[name][0]))
                assert (there ^ flip).sum() <= 1 + 0.05 * there.sum()
        assert np.isin(flipped.frames["front_segmentation"][0], bodies).sum() > 50


def test_twice_mirrored_is_as_before(played):
    episode = played[0][0]
    episode = replace(episode, steps=episode.steps | {"executed": 2 * episode.steps["action"]})
    assert np.array_equal(mirror_episode(episode).steps["executed"], 2 * mirror_episode(episode).steps["action"])
    back = mirror_episode(mirror_episode(episode))
    assert back.metadata == episode.metadata and back.instruction == episode.instruction
    assert mirror_episode(episode).metadata["mirrored"] is True
    for name, rows in episode.steps.items():
        assert back.steps[name].dtype == rows.dtype and np.allclose(back.steps[name], rows, atol=1e-6)
    for name, frames in episode.frames.items():
        assert np.array_equal(back.frames[name], frames)
    batch = make_batch(0)
    twice = augment(batch, generator(0), [MOVES["mirror"], MOVES["mirror"]])
    assert changed_keys(batch, twice) == set()


def test_half_of_the_rows_are_mirrored_each_as_a_whole():
    batch = make_batch(0, rows=200)
    changed = augment(batch, generator(0), [random_mirror])
    flipped = augment(batch, generator(0), [MOVES["mirror"]])
    count = 0
    for row in range(200):
        source = flipped if "right" in changed["task"][row] else batch
        count += source is flipped
        assert all(same(changed[key][row], source[key][row]) for key in batch)
    assert 70 < count < 130
    assert torch.equal(flipped["action"][..., [1, 3, 5]], -batch["action"][..., [1, 3, 5]])
    assert torch.equal(flipped["action"][..., [0, 2, 4, 6]], batch["action"][..., [0, 2, 4, 6]])


def test_half_of_a_batch_mirrored_at_once_is_what_it_is_row_by_row(followed):
    batch = WindowDataset(followed, every_step=True).__getitems__(list(range(40)))
    batch["task"][:8] = ["take the left cube"] * 8
    changed, flipped = mirror_half(batch, generator(0)), augment(batch, generator(0), [MOVES["mirror"]])
    count = 0
    for row in range(40):
        source = batch if same(changed["observation.state"][row], batch["observation.state"][row]) else flipped
        count += source is flipped
        assert all(same(changed[key][row], source[key][row]) for key in batch)
        assert row >= 8 or source is batch  # a sentence that names a side stays
    assert 8 < count < 25


@pytest.mark.parametrize("name", ROBOTS)
def test_mirrored_joint_angles_bring_the_tool_to_the_mirrored_pose(name):
    signs, middle = np.array(JOINTS[name])
    client = pybullet.connect(pybullet.DIRECT)
    robot = Robot(client, name)
    rng = np.random.default_rng(0)
    flip = np.diag([1, -1, 1])
    for _ in range(10):
        angles = rng.uniform(robot.lower[: len(signs)] / 2, robot.upper[: len(signs)] / 2)
        poses = []
        for joints in (angles, signs * angles + (1 - signs) * middle):
            for joint, angle in zip(robot.model.arm, joints, strict=True):
                pybullet.resetJointState(robot.body, joint, angle, physicsClientId=client)
            position, quaternion = robot.tool_pose()
            turn = np.reshape(pybullet.getMatrixFromQuaternion(quaternion), (3, 3))
            poses.append((position, turn, robot.proprioception()))
        (position, turn, state), (other_position, other_turn, other_state) = poses
        assert np.allclose(flip @ position, other_position, atol=1e-4)
        assert np.allclose(flip @ turn @ flip, other_turn, atol=1e-3)
        difference = (SIGNS * state - other_state + np.pi) % (2 * np.pi) - np.pi  # -180 degrees are 180 degrees
        assert np.allclose(difference, 0, atol=0.01)
    pybullet.disconnect(client)


def test_mirrored_deltas_in_all_six_directions_lead_to_the_mirrored_pose():
    env = TabletopEnv(action_mode="ee_delta", cameras=())
    actions = np.random.default_rng(0).uniform(-0.6, 0.6, size=(5, 7))
    reached = []
    for signs in (np.ones(7), np.array(SIGNS)):
        env.reset(seed=0)
        for action in (*actions, *np.zeros((3, 7))):
            observation, *_ = env.step(signs * action)
        reached.append(observation["state"])
    env.close()
    assert np.abs(reached[0][3:6]).min() > 0.05
    assert np.allclose(SIGNS * reached[0], reached[1], atol=0.01)


def test_sides_are_swapped_as_words_and_nothing_else():
    assert swap_sides("Push the cube left of the RIGHT bowl to the leftmost") == (
        "Push the cube right of the LEFT bowl to the rightmost"
    )
    for untouched in ("a bright, upright cube that was leftover", "pick up the red cube", "turn it forward"):
        assert swap_sides(untouched) == untouched


@settings(deadline=None)
@given(st.lists(st.sampled_from(["left", "Right", "LEFT", "push_left", "the", "rightmost", "upright"])).map(" ".join))
def test_sides_swapped_twice_are_as_before(sentence):
    assert swap_sides(swap_sides(sentence)) == sentence


BAD_BATCHES = {
    "8 columns": {"action": torch.zeros(1, 5, 8)},
    "'observation.joints' has no known mirror image": {"observation.joints": torch.zeros(1, 7)},
}
BAD_EPISODES = {
    "robot 'r2d2'": ({"robot": "r2d2"}, {}),
    "actions of joints": ({"action_mode": "joint_delta"}, {}),
    "8 columns": ({}, {"action": np.zeros((2, 8))}),
    r"steps\['lidar'\] has no known mirror image": ({}, {"lidar": np.zeros((2, 90))}),
}


@pytest.mark.parametrize("message", BAD_BATCHES)
def test_what_has_no_known_mirror_image_is_refused(message):
    with pytest.raises(CourseError, match=message) as caught:
        augment(BAD_BATCHES[message], generator(0), [MOVES["mirror"]])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("message", BAD_EPISODES)
def test_an_episode_that_cannot_be_mirrored_is_refused(played, message):
    metadata, steps = BAD_EPISODES[message]
    episode = played[0][0]
    with pytest.raises(CourseError, match=message) as caught:
        mirror_episode(replace(episode, metadata=episode.metadata | metadata, steps=episode.steps | steps))
    assert "\n" not in str(caught.value)


# The words.

PHRASINGS = [phrasing for task in TASKS.values() for phrasing in task.phrasings]


@pytest.mark.parametrize("phrasing", PHRASINGS)
def test_a_paraphrase_is_new_keeps_the_objects_and_is_never_held_out(phrasing):
    held_out = {p.replace(",", "") for task in TASKS.values() for p in task.held_out_phrasings}
    sentences = paraphrases(phrasing)
    assert sentences[0] == phrasing and len(sentences) == len(set(sentences)) >= 5
    for sentence in sentences:
        assert sentence.replace(",", "") not in held_out
        names = [word for word in sentence.split() if "{" in word]
        assert names == [word for word in phrasing.split() if "{" in word]
        longest = sentence.replace("{target}", "cylinder left of the orange cube").replace("{reference}", "white bowl")
        assert len(longest) <= 120 and set(longest) <= set(LETTERS)


def test_the_words_that_the_course_names_things_by_are_never_touched():
    for color in COLORS:
        for shape in ("cube", "cylinder", "ball", "bowl"):
            for sentence in paraphrases(f"pick up the {color} {shape} left of the close cube"):
                assert sentence.endswith(f" the {color} {shape} left of the close cube")


def test_verbs_are_exchanged_and_those_in_two_parts_come_together():
    assert {"grab the red cube", "pick up the red cube", "robot, collect the red cube"} <= set(
        paraphrases("pick the red cube up")
    )
    assert "please shut the drawer" in paraphrases("please close the drawer")
    assert not any("slide" in sentence for sentence in paraphrases("push the button"))
