"""Tasks that slide the named object over the table: in a direction, or to another object."""

import numpy as np

from vla_course.errors import CourseError
from vla_course.sim.objects import STANDING, Object, wrap
from vla_course.sim.tasks.base import AREA, CLOSED, MIN_GAP, Task, hand_clear, plan, things, waypoint
from vla_course.sim.world import Scene, World

PUSH_DISTANCE = 0.08
# The expert pushes farther than it must. How far an object was moved is not to be seen in a later picture, so a policy
# ends its push a little early or late; early must still be far enough.
MARGIN = 0.03
BEHIND = 0.07  # metres between the hand and the object's center before it pushes
NEXT_TO = 0.095  # metres between the centers of two objects of which one was pushed to the other
# How much of the way to another object must lead forward or back. To push straight to the side, the hand may turn its
# flat side there by a quarter turn either way. Where both ways are as good, demonstrations show both, and a policy that
# learns their mean turns the hand half way and misses.
LENGTHWISE = 0.5

REACHES = 0.025  # metres that the fingers push ahead of the tool, at least: half of a cube and a finger

# The front camera faces the robot: its left is the robot's right, which is -y. Forward is away from the robot.
DIRECTIONS = {"left": (0.0, -1.0), "right": (0.0, 1.0), "forward": (1.0, 0.0), "back": (-1.0, 0.0)}


class Push(Task):
    """Push the named object; left and right are those of the front camera's picture, forward is away from the robot."""

    grasps = False
    keeps_shape = ("target",)  # what is pushed must not roll

    def __init__(self, side: str):
        self.name = f"push_{side}"
        self.direction = np.array(DIRECTIONS[side])
        sideways = side in ("left", "right")
        ends = (f"to the {side}", f"toward the {side}") if sideways else (side, f"a bit {side}")
        self.phrasings = tuple(
            f"{start} {{target}} {end}" for start in ("push the", "slide the", "move the") for end in ends
        )
        self.held_out_phrasings = (
            f"please push the {{target}} {ends[0]}",
            f"shove the {{target}} {ends[0]}",
            f"slide the {{target}} over to the {side} side" if sideways else f"slide the {{target}} {side} a little",
        )

    def scene(self, rng: np.random.Generator) -> Scene:
        """Three objects that do not roll; the target has a clear lane to be pushed along."""
        shapes = [str(s) for s in rng.choice(STANDING, size=3)]
        while True:
            objects = things(rng, shapes, [MIN_GAP] * 3)
            lanes = [i for i in range(3) if self._clear(objects, i)]
            if lanes:
                target = int(rng.choice(lanes))
                return Scene(objects, target, None, str(rng.choice(self.phrasings)))

    def _clear(self, objects: tuple[Object, ...], index: int) -> bool:
        """Whether object `index` can be pushed without meeting another, and stays where the hand can follow."""
        centers = np.array([[o.x, o.y] for o in objects])
        others = np.delete(centers, index, axis=0)
        end = centers[index] @ self.direction + 0.12
        limit = {(0, -1): 0.19, (0, 1): 0.19, (1, 0): 0.66, (-1, 0): -0.30}[tuple(self.direction)]
        return not in_lane(centers[index], self.direction, others, 0.22) and bool(end < limit)

    def allows(self, scene: Scene, item: Object) -> bool:
        """Not in the lane."""
        return self._clear((scene.objects[scene.target], item), 0)

    def conditions(self, world: World) -> dict[str, bool]:
        """The target went `PUSH_DISTANCE` that way, straight, and stands; the hand is clear of it."""
        target = world.scene.target
        moved = world.position(target) - world.start_positions[target]
        along = moved[:2] @ self.direction
        aside = np.linalg.norm(moved[:2] - along * self.direction)
        return {
            "moved": bool(along >= PUSH_DISTANCE),
            "straight": bool(aside < 0.05),
            "on_table": bool(abs(moved[2]) < 0.02),
            "hand_clear": hand_clear(world),
        }

    def expert(self, world: World) -> np.ndarray:
        """Behind, down, half way, all the way, up."""
        position = world.position(world.scene.target)
        return push_plan(position, self.direction, PUSH_DISTANCE + MARGIN)


class PushTo(Task):
    """Push the named object until it is next to another."""

    name = "push_to"
    grasps = False
    keeps_shape = ("target", "reference")  # which must not roll
    phrasings = (
        "push the {target} to the {reference}",
        "slide the {target} to the {reference}",
        "push the {target} next to the {reference}",
        "move the {target} over to the {reference}",
        "bring the {target} to the {reference}",
        "slide the {target} next to the {reference}",
    )
    held_out_phrasings = (
        "could you push the {target} up to the {reference}",
        "shove the {target} over to the {reference}",
        "please slide the {target} beside the {reference}",
    )

    def scene(self, rng: np.random.Generator) -> Scene:
        """Three objects that do not roll; the first two stand apart, with nothing between them; see `LENGTHWISE`."""
        shapes = [str(s) for s in rng.choice(STANDING, size=3)]
        for _ in range(1000):
            objects = things(rng, shapes, [MIN_GAP] * 3)
            if self._clear(objects[0], objects[1], objects[2:]):
                return Scene(objects, 0, 1, str(rng.choice(self.phrasings)))
        raise CourseError("no scene for push_to was found in 1000 draws; use another seed")

    def _clear(self, item: Object, to: Object, others: tuple[Object, ...]) -> bool:
        start, end = np.array([item.x, item.y]), np.array([to.x, to.y])
        distance = float(np.linalg.norm(end - start))
        direction = (end - start) / distance
        behind = start - 0.09 * direction
        reachable = (behind > AREA[:, 0] - 0.06).all() and (behind < AREA[:, 1] + 0.06).all()
        centers = np.array([[o.x, o.y] for o in others]).reshape(-1, 2)
        lengthwise = abs(direction[0]) > LENGTHWISE
        clear = reachable and lengthwise and not in_lane(start, direction, centers, distance)
        return bool(clear and 0.14 < distance < 0.22)

    def allows(self, scene: Scene, item: Object) -> bool:
        """Not in the lane."""
        return self._clear(scene.objects[scene.target], scene.objects[scene.reference], (item,))

    def conditions(self, world: World) -> dict[str, bool]:
        """The two stand next to each other, the other one where it was; the hand is clear."""
        target, reference = (world.position(i) for i in (world.scene.target, world.scene.reference))
        moved = reference - world.start_positions[world.scene.reference]
        risen = target[2] - world.start_positions[world.scene.target][2]
        return {
            "next_to": bool(np.linalg.norm((target - reference)[:2]) < NEXT_TO),
            "reference_in_place": bool(np.linalg.norm(moved) < 0.04),
            "on_table": bool(abs(risen) < 0.02),
            "hand_clear": hand_clear(world),
        }

    def expert(self, world: World) -> np.ndarray:
        """Behind, down, half way, all the way, up."""
        target, reference = (world.position(i) for i in (world.scene.target, world.scene.reference))
        offset = (reference - target)[:2]
        distance = float(np.linalg.norm(offset))
        return push_plan(target, offset / distance, distance - NEXT_TO - REACHES + 0.020)


def in_lane(center: np.ndarray, direction: np.ndarray, others: np.ndarray, ahead: float) -> bool:
    """Whether one of `others` (n, 2) stands where the hand comes down, or where the object is pushed along."""
    offsets = others - center
    along = offsets @ direction
    aside = offsets @ np.array([-direction[1], direction[0]])
    return bool(((np.abs(aside) < 0.08) & (along > -0.14) & (along < ahead)).any())


def push_plan(position: np.ndarray, direction: np.ndarray, distance: float) -> np.ndarray:
    """Behind, down, half way, all the way, up; the flat of the closed hand faces the object: (5, 7)."""
    z = float(position[2])
    # At yaw 0 the fingers stand side by side along y, so the hand's flat side faces x.
    yaw = wrap(np.arctan2(direction[1], direction[0]))
    if np.isclose(abs(direction[1]), 1):  # either quarter turn would do: choose so that left mirrors right
        yaw = direction[1] * np.pi / 2
    start, half, end = (position[:2] + way * direction for way in (-BEHIND, 0.02, distance))
    return plan(
        waypoint(*start, 0.15, yaw, CLOSED),
        waypoint(*start, z, yaw, CLOSED),
        waypoint(*half, z, yaw, CLOSED),
        waypoint(*end, z, yaw, CLOSED),
        waypoint(*end, 0.16, yaw, CLOSED),
    )
