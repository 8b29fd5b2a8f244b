"""What varies is what was asked for, and nothing else; words single out one object; all of it can be done."""

import itertools
from dataclasses import replace

import numpy as np
import pybullet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vla_course.errors import CourseError
from vla_course.sim import textures, things
from vla_course.sim.env import LETTERS, TabletopEnv
from vla_course.sim.language import KINDS, describe
from vla_course.sim.objects import COLORS, Object, spawn
from vla_course.sim.tasks import TASKS, get_task
from vla_course.sim.variety import AXES, SIZES, combination_is_unseen, draw_scene
from vla_course.sim.world import Scene

SHAPES = ("cube", "cylinder", "ball", "thing")


def scene_of(task: str, seed: int, **variety: str) -> Scene:
    return draw_scene(get_task(task), np.random.default_rng(seed), variety)


def parts(scene: Scene) -> dict[str, object]:
    """What each axis may change."""
    look, items = scene.look, scene.objects
    return {
        "category": [(item.shape, item.model) for item in items],
        "color": [item.color for item in items],
        "size": [item.size for item in items],
        "clutter": len(items),
        "places": [(item.x, item.y, item.yaw, item.inside) for item in items],
        "reference": scene.names,
        "phrasing": scene.phrasing,
        "light": (look.light, look.ambient, look.diffuse),
        "table": look.table,
        "background": look.background,
        "camera": look.camera,
        "start": scene.start,
    }


@pytest.mark.parametrize("setting", ("seen", "unseen"))
@pytest.mark.parametrize("axis", AXES)
def test_an_axis_changes_itself_and_leaves_the_others(axis, setting):
    changed = 0
    for seed in range(8):
        plain, varied = parts(scene_of("pick", seed)), parts(scene_of("pick", seed, **{axis: setting}))
        allowed = {axis, *{"category": ["color"]}.get(axis, [])}  # a thing may need another color to have its own name
        if axis == "clutter":  # the objects that were there stay as they were
            varied = {k: v[: len(plain[k])] if isinstance(v, list) else v for k, v in varied.items()}
        assert {k for k in plain if plain[k] != varied[k]} <= allowed
        changed += plain != varied
    assert changed >= 1 or (axis, setting) == ("phrasing", "seen")


def test_axes_together_change_what_each_changes_alone():
    for seed in range(8):
        both = parts(scene_of("pick", seed, light="seen", start="unseen"))
        assert both["light"] == parts(scene_of("pick", seed, light="seen"))["light"]
        assert both["start"] == parts(scene_of("pick", seed, start="unseen"))["start"]


def test_what_is_kept_for_testing_is_never_seen_in_training():
    assert not set(textures.SEEN) & set(textures.UNSEEN) and not set(things.SEEN) & set(things.UNSEEN)
    assert not set(SIZES["seen"]) & set(SIZES["unseen"])
    for seed in range(40):
        seen = scene_of("pick", seed, category="seen", color="seen", camera="seen", start="seen", light="seen")
        unseen = scene_of("pick", seed, category="unseen", color="unseen", camera="unseen", start="unseen",
                          light="unseen", phrasing="unseen")  # fmt: skip
        assert not any(combination_is_unseen(item.shape, item.color) for item in seen.objects)
        target = unseen.objects[unseen.target]
        assert combination_is_unseen(target.shape, target.color)
        assert {item.model in things.SEEN for item in seen.objects if item.shape == "thing"} <= {True}
        assert all(item.model in things.UNSEEN for item in unseen.objects)
        assert unseen.phrasing in get_task("pick").held_out_phrasings
        far = [np.linalg.norm(scene.look.camera[:3]) for scene in (seen, unseen)]
        assert far[0] <= 0.03 < 0.06 <= far[1]
        assert (np.abs(seen.start) < np.abs(unseen.start)).all()
        assert not 0.45 < unseen.look.ambient < 0.75 and 0.5 < seen.look.ambient < 0.7


objects = st.lists(
    st.builds(
        Object,
        shape=st.sampled_from(SHAPES),
        color=st.sampled_from(list(COLORS)[:4]),
        x=st.floats(0.38, 0.60),
        y=st.floats(-0.19, 0.19),
        yaw=st.just(0.0),
        size=st.sampled_from([0.8, 1.0, 1.2]),
    ),
    min_size=2,
    max_size=6,
)


def meant(words: str, items: list[Object]) -> list[int]:
    """Which objects fit a description: written anew, from the meaning of the words."""
    for phrase, sign, axis in (
        ("left of", -1, "y"),
        ("right of", 1, "y"),
        ("in front of", 1, "x"),
        ("behind", -1, "x"),
    ):
        if phrase in words:
            kind, anchor = words.split(f" {phrase} the ")
            (place,) = meant(anchor, items)
            limit = sign * getattr(items[place], axis)
            return [i for i in meant(kind, items) if sign * getattr(items[i], axis) > limit and i != place]
    *adjectives, noun = words.split()
    fits = [i for i, item in enumerate(items) if noun in (item.shape, "object")]
    for adjective in reversed(adjectives):
        if adjective in COLORS:
            fits = [i for i in fits if items[i].color == adjective]
        else:
            extreme = {"small": min, "big": max}[adjective](items[i].size for i in fits)
            fits = [i for i in fits if items[i].size == extreme]
    return fits


@settings(max_examples=150, deadline=None)
@given(objects, st.sampled_from(KINDS))
def test_a_description_fits_one_object_and_no_other(items, kind):
    for i in range(len(items)):
        words = describe(items, i, kind)
        if words is not None:
            fits = meant(words, items)
            near = [j for j in fits if j != i and kind in KINDS[4:]]  # "left of" leaves out what is hardly left
            assert i in fits
            assert len(fits) == 1 + len(near)


@pytest.mark.parametrize("setting", ("seen", "unseen"))
@pytest.mark.parametrize("task", TASKS)
def test_every_task_can_vary_in_every_axis(task, setting):
    for seed in range(6):
        scene = scene_of(task, seed, **dict.fromkeys(AXES, setting))
        sentence = scene.instruction()
        assert set(sentence) <= set(LETTERS) and len(sentence) <= 120
        assert len({item.name for item in scene.objects}) == len(scene.objects)
        gaps = [np.hypot(a.x - b.x, a.y - b.y) for a, b in itertools.combinations(scene.objects, 2)
                if a.inside is None and b.inside is None]  # fmt: skip
        assert min(gaps) > 0.085


@pytest.mark.parametrize("task", ("pick", "place", "push_to", "stack", "open_drawer"))
def test_experts_succeed_where_everything_varies(task):
    env = TabletopEnv(task, action_mode="waypoint", cameras=(), variety=dict.fromkeys(AXES, "seen"))
    succeeded = 0
    for seed in range(10):
        env.reset(seed=seed)
        for action in env.expert_actions():
            *_, info = env.step(action)
        succeeded += info["success"]
    env.close()
    assert succeeded >= 9


def test_things_lie_still_and_are_as_wide_as_the_hand_needs():
    client = pybullet.connect(pybullet.DIRECT)
    pybullet.setGravity(0, 0, -9.81, physicsClientId=client)
    floor = pybullet.createCollisionShape(pybullet.GEOM_BOX, halfExtents=[8, 1, 0.5], physicsClientId=client)
    pybullet.createMultiBody(0, floor, basePosition=[0, 0, -0.5], physicsClientId=client)
    rng = np.random.default_rng(0)
    for i in range(12):
        number = things.draw_thing(rng, range(1000))
        item = Object("thing", "red", 0.5 * i, 0.0, 0.0, model=number, inside=0)  # awake from the start
        body = spawn(client, item)
        before = np.array(pybullet.getBasePositionAndOrientation(body, physicsClientId=client)[0])
        for _ in range(120):
            pybullet.stepSimulation(physicsClientId=client)
        assert np.linalg.norm(pybullet.getBasePositionAndOrientation(body, physicsClientId=client)[0] - before) < 0.006
        flat = things.thing(number).vertices[:, :2]
        across = item.grasp_yaw + np.pi / 2  # the fingers open along y
        width = np.ptp(flat @ [np.cos(across), np.sin(across)])
        assert width == pytest.approx(things.WIDTH, abs=0.001)
    pybullet.disconnect(client)


@pytest.mark.parametrize(
    ("variety", "names"), [({"mood": "seen"}, "'mood'.*light"), ({"light": "dark"}, "light 'dark'.*unseen")]
)
def test_an_unknown_axis_is_answered_with_the_known_ones(variety, names):
    with pytest.raises(CourseError, match=names):
        TabletopEnv(cameras=(), variety=variety)


def test_the_picture_shows_the_look():
    env = TabletopEnv(action_mode="waypoint", cameras=("front",))
    plain = env.reset(seed=0)[0]["front"]
    scene = env.world.scene
    for change in ({"table": "oak"}, {"light": (-0.6, 0.4, 0.5)}, {"ambient": 0.3}, {"camera": (0.05,) * 6}):
        shown = env.reset(options={"scene": replace(scene, look=replace(scene.look, **change))})[0]["front"]
        assert (shown != plain).any()
    assert np.array_equal(env.reset(options={"scene": scene})[0]["front"], plain)
    env.close()
