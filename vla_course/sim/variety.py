"""What may differ from scene to scene, one named axis at a time.

Each axis is "fixed", or varies over values that are meant for training ("seen") or over others that are kept for
testing ("unseen"). It draws from a random stream of its own: to vary one axis leaves all others as they were, so that
two evaluations differ in that axis and in nothing else.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from vla_course.errors import one_of
from vla_course.sim import textures, things
from vla_course.sim.language import describe
from vla_course.sim.objects import COLORS, GRASPABLE, Object
from vla_course.sim.tasks.base import AREA, Task
from vla_course.sim.world import Scene

SETTINGS = ("fixed", "seen", "unseen")
CLUTTER_GAP = 0.09  # metres from one more object to the others
SIZES = {"seen": (0.88, 1.0, 1.12), "unseen": (0.80, 1.2)}
PLACES = {"seen": ("name", "color", "shape", "size", "left", "right"), "unseen": ("front", "behind")}


def draw_scene(task: Task, rng: np.random.Generator, variety: Mapping[str, str]) -> Scene:
    """A scene of a task.

    Args:
        task: which draws what matters to it.
        rng: of the episode.
        variety: axis to setting; axes that it does not name are fixed.
    """
    streams = rng.spawn(len(AXES))
    scene = task.scene(rng)
    for (axis, change), stream in zip(AXES.items(), streams, strict=True):
        setting = variety.get(axis, "fixed")
        if setting != "fixed":
            scene = change(scene, task, stream, setting)
    return scene


def check_variety(variety: Mapping[str, str]) -> None:
    """Look for typing mistakes.

    Raises:
        CourseError: an unknown axis or setting.
    """
    for axis, setting in variety.items():
        one_of("axis of variety", axis, AXES)
        one_of(f"setting of {axis}", setting, SETTINGS)


def axes(words: Iterable[str]) -> dict[str, str]:
    """A variety as it is written on a command line: "light" for seen values of light, or "table=unseen"."""
    return dict(word.split("=", 1) if "=" in word else (word, "seen") for word in words)


def combination_is_unseen(shape: str, color: str) -> bool:
    """Whether an object of this shape and color is kept for testing: two colors of each shape are."""
    place = ("cube", "cylinder", "ball", "thing").index(shape)
    return (list(COLORS).index(color) - place) % 4 == 0


def _objects(scene: Scene, changed: list[Object]) -> Scene:
    return replace(scene, objects=tuple(changed))


def _recolor(item: Object, others: list[Object], rng: np.random.Generator, colors: list[str]) -> Object:
    """The item in one of these colors, so that its name stays its own; as it is where none is free."""
    free = [color for color in colors if all((color, item.shape) != (o.color, o.shape) for o in others)]
    return replace(item, color=str(rng.choice(free))) if free else item


def _category(scene: Scene, task: Task, rng: np.random.Generator, setting: str) -> Scene:
    """Seen: half of the objects become procedural things. Unseen: all do, and of others."""
    items = list(scene.objects)
    for i, item in enumerate(items):
        becomes = setting == "unseen" or rng.random() < 0.5
        model = things.draw_thing(rng, things.SEEN if setting == "seen" else things.UNSEEN)
        if becomes and task.any_shape(scene, i):
            item = replace(item, shape="thing", model=model, size=1.0)
            others = items[:i] + items[i + 1 :]
            same = [o for o in others if o.name == item.name]
            items[i] = _recolor(item, others, rng, list(COLORS)) if same else item
    return _objects(scene, items)


def _color(scene: Scene, task: Task, rng: np.random.Generator, setting: str) -> Scene:
    """Seen: no object has a combination of shape and color that is kept for testing. Unseen: the target has one."""
    items = list(scene.objects)
    for i, item in enumerate(items):
        if item.shape not in (*GRASPABLE, "thing") or task.name == "sort":  # there, colors say where things belong
            continue
        unseen = [color for color in COLORS if combination_is_unseen(item.shape, color)]
        if setting == "seen" and item.color in unseen:
            items[i] = _recolor(item, items[:i] + items[i + 1 :], rng, [c for c in COLORS if c not in unseen])
        if setting == "unseen" and i == scene.target and item.color not in unseen:
            color = str(rng.choice(unseen))
            for j, other in enumerate(items):  # whoever has it gets the target's color
                if (other.shape, other.color) == (item.shape, color):
                    items[j] = replace(other, color=item.color)
            items[i] = replace(item, color=color)
    return _objects(scene, items)


def _size(scene: Scene, task: Task, rng: np.random.Generator, setting: str) -> Scene:
    """Cubes, cylinders and balls are smaller or larger than usual."""
    sizes = rng.choice(SIZES[setting], size=len(scene.objects))
    return _objects(
        scene,
        [replace(item, size=float(size)) if item.shape in GRASPABLE else item
         for item, size in zip(scene.objects, sizes, strict=True)],
    )  # fmt: skip


def _clutter(scene: Scene, task: Task, rng: np.random.Generator, setting: str) -> Scene:
    """Seen: 1 or 2 objects more, unseen: 3 or 4, as far as they find a place. None is of a kind kept for testing."""
    count = int(rng.integers(1, 3)) + (2 if setting == "unseen" else 0)
    for _ in range(400):
        x, y = rng.uniform(AREA[:, 0] - 0.02, AREA[:, 1] + 0.02)
        item = Object(str(rng.choice(GRASPABLE)), str(rng.choice(list(COLORS))), float(x), float(y), 0.0)
        near = min(np.hypot(item.x - o.x, item.y - o.y) - (0.05 if o.shape in ("bowl", "plate") else 0.0)
                   for o in scene.objects)  # fmt: skip
        alone = all(item.name != o.name for o in scene.objects) and not combination_is_unseen(item.shape, item.color)
        if near > CLUTTER_GAP and alone and task.allows(scene, item):
            scene = _objects(scene, [*scene.objects, item])
            count -= 1
            if count == 0:
                break
    return scene


def _reference(scene: Scene, task: Task, rng: np.random.Generator, setting: str) -> Scene:
    """How the sentence singles the target out; by its name where nothing else does."""
    kinds = [*rng.permutation(PLACES[setting]), "name"]
    words = [next((w for kind in kinds if (w := describe(scene.objects, i, str(kind)))), item.name)
             for i, item in enumerate(scene.objects)]  # fmt: skip
    return replace(scene, names=tuple(words))


def _phrasing(scene: Scene, task: Task, rng: np.random.Generator, setting: str) -> Scene:
    """Seen: the sentences of training, as without this axis. Unseen: those that are held out."""
    if setting == "seen":
        return scene
    return replace(scene, phrasing=str(rng.choice(task.held_out_phrasings)))


def _light(scene: Scene, task: Task, rng: np.random.Generator, setting: str) -> Scene:
    """Seen: from the usual side, about as strong as usual. Unseen: from the other side, dim or glaring."""
    side = np.arctan2(-0.4, 0.6) + (np.pi if setting == "unseen" else 0)
    angle, height = side + rng.uniform(-1, 1), rng.uniform(0.7, 1.3)
    dim, glaring = (rng.uniform(0.35, 0.45), 0.3), (rng.uniform(0.75, 0.85), 0.4)
    usual = rng.uniform(0.52, 0.68), rng.uniform(0.25, 0.45)
    ambient, diffuse = usual if setting == "seen" else (dim if rng.random() < 0.5 else glaring)
    light = (0.72 * np.cos(angle), 0.72 * np.sin(angle), height)
    return _look(scene, light=tuple(map(float, light)), ambient=float(ambient), diffuse=float(diffuse))


def _table(scene: Scene, task: Task, rng: np.random.Generator, setting: str) -> Scene:
    """The pattern of the table."""
    return _look(scene, table=_pattern(rng, setting))


def _background(scene: Scene, task: Task, rng: np.random.Generator, setting: str) -> Scene:
    """The pattern of what stands behind the robot."""
    return _look(scene, background=_pattern(rng, setting))


def _camera(scene: Scene, task: Task, rng: np.random.Generator, setting: str) -> Scene:
    """Seen: the front camera stands up to 3 cm and looks up to 1 cm off. Unseen: 6 to 10 cm, and up to 2 cm."""
    way = rng.normal(size=3)
    far = rng.uniform(0, 0.03) if setting == "seen" else rng.uniform(0.06, 0.10)
    turn = rng.uniform(-1, 1, size=3) * (0.01 if setting == "seen" else 0.02)
    return _look(scene, camera=tuple([*(far * way / np.linalg.norm(way)).tolist(), *turn.tolist()]))


def _start(scene: Scene, task: Task, rng: np.random.Generator, setting: str) -> Scene:
    """Seen: the tool starts up to 4 cm (to the side 6 cm) and 0.3 rad off. Unseen: at twice the largest of these."""
    most = np.array([0.04, 0.06, 0.04, 0.3])
    share = rng.uniform(-1, 1, size=4)
    off = most * share if setting == "seen" else 2 * most * np.sign(share) * rng.uniform(0.75, 1.0, size=4)
    return replace(scene, start=tuple(off.tolist()))


def _look(scene: Scene, **changes: object) -> Scene:
    return replace(scene, look=replace(scene.look, **changes))


def _pattern(rng: np.random.Generator, setting: str) -> str:
    return str(rng.choice(textures.SEEN if setting == "seen" else textures.UNSEEN))


Change = Callable[[Scene, Task, np.random.Generator, str], Scene]

# In the order in which they are applied: words come after everything that they speak of.
AXES: dict[str, Change] = {
    "category": _category,
    "color": _color,
    "size": _size,
    "clutter": _clutter,
    "reference": _reference,
    "phrasing": _phrasing,
    "light": _light,
    "table": _table,
    "background": _background,
    "camera": _camera,
    "start": _start,
}
