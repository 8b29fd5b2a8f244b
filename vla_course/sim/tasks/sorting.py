"""Sort by color into two bowls: a long task."""

import numpy as np

from vla_course.sim.objects import BOWL_RADIUS, COLORS, GRASPABLE, Object
from vla_course.sim.tasks.base import MIN_GAP, Task, carry, hand_clear, places, plan
from vla_course.sim.tasks.grasping import in_dish
from vla_course.sim.world import Scene, World

# Bowls stand nearer to the robot, objects nearer to the camera; x then y, metres.
BOWLS = np.array([[0.36, 0.42], [-0.19, 0.19]])
ITEMS = np.array([[0.54, 0.62], [-0.19, 0.19]])
BOWL_SIZE, BOWLS_APART = 1.3, 0.20
ASIDE = 0.028  # metres from the bowl's center, so that two objects find room: one on this side, one on the other


class Sort(Task):
    """Put every object into the bowl of its color."""

    name = "sort"
    waypoints = 20  # one object may need a second try
    renames = False  # its sentence names none
    phrasings = (
        "sort the objects by color",
        "put every object into the bowl of its color",
        "put each object in the bowl of the same color",
        "sort everything into the bowls by color",
        "tidy up by color",
        "place all objects in the bowls that match their colors",
    )
    held_out_phrasings = (
        "could you sort these by color",
        "each object belongs in the bowl of its color",
        "please sort the table into the two bowls by color",
    )

    def scene(self, rng: np.random.Generator) -> Scene:
        """Two bowls and three objects: two of one color, one of the other."""
        first, second = (str(c) for c in rng.choice(list(COLORS), size=2, replace=False))
        colors = [first, second, first, first, second]
        pair = [str(s) for s in rng.choice(GRASPABLE, size=2, replace=False)]
        shapes = ["bowl", "bowl", *pair, str(rng.choice(GRASPABLE))]
        centers = np.concatenate(
            [
                places(rng, [BOWLS_APART] * 2, BOWLS),
                places(rng, [MIN_GAP] * 3, ITEMS),
            ]
        )
        yaws = rng.uniform(-np.pi / 4, np.pi / 4, size=5)
        objects = tuple(
            Object(shape, color, float(x), float(y), float(yaw), BOWL_SIZE if shape == "bowl" else 1.0)
            for shape, color, (x, y), yaw in zip(shapes, colors, centers, yaws, strict=True)
        )
        return Scene(objects, 2, 0, str(rng.choice(self.phrasings)))

    def allows(self, scene: Scene, item: Object) -> bool:
        """Of neither bowl's color."""
        return item.color not in (scene.objects[0].color, scene.objects[1].color)

    def conditions(self, world: World) -> dict[str, bool]:
        """Each object lies in the bowl of its color; the hand is clear."""
        done = {f"{item.color}_{item.shape}_sorted": sorted_(world, i, bowl) for i, item, bowl in pairs(world.scene)}
        return {**done, "hand_clear": hand_clear(world)}

    def focus(self, world: World) -> tuple[int, int]:
        """Of the objects that are not yet in their bowls the first by name, and its bowl.

        Any order would do, but one that is not to be seen could not be learned.
        """
        left = [(item.name, i, bowl) for i, item, bowl in pairs(world.scene) if not sorted_(world, i, bowl)]
        return min(left)[1:] if left else (2, 0)

    def expert(self, world: World) -> np.ndarray:
        """Carry an object that is not yet in its bowl: above, close, up, over the bowl and open, up."""
        item, bowl = self.focus(world)
        x, y, _ = world.position(bowl)
        full = any(sorted_(world, i, bowl) for i, _, its in pairs(world.scene) if its == bowl)
        return plan(*carry(world, item, np.array([x + (ASIDE if full else -ASIDE), y]), drop=0.085))


def sorted_(world: World, index: int, bowl: int) -> bool:
    """Whether an object lies in a bowl of this task."""
    return in_dish(world, index, bowl, BOWL_RADIUS * BOWL_SIZE)


def pairs(scene: Scene) -> list[tuple[int, Object, int]]:
    """Index of each object to be sorted, the object, and the index of its bowl."""
    bowls = {item.color: i for i, item in enumerate(scene.objects[:2])}
    return [(i, item, bowls[item.color]) for i, item in enumerate(scene.objects) if i > 1 and item.color in bowls]
