"""Tasks: what is asked, when it is done, and how a scripted expert does it.

A task is four things: sentences, a scene, goal conditions, and an expert. The expert sees the true state
of the world, which the policy never does, and answers with five waypoints.

A waypoint is seven numbers: x, y, z in metres, roll, pitch, yaw in radians, gripper (+1 open, -1
closed). The robot goes to the pose with the gripper as it is, then sets the gripper.
"""

from abc import ABC, abstractmethod

import numpy as np

from vla_course.errors import CourseError, one_of
from vla_course.sim.objects import BOWL_RADIUS, COLORS, GRASPABLE, Object
from vla_course.sim.world import Scene, World

WAYPOINTS = 5
OPEN, CLOSED = 1.0, -1.0

# Where objects may stand: x then y, metres. Reachable, and in the front camera's picture.
AREA = np.array([[0.38, 0.60], [-0.19, 0.19]])
MIN_GAP = 0.11  # between object centers, metres: room for the open gripper
BOWL_GAP = 0.16

LIFT_HEIGHT = 0.15  # metres an object must rise to count as picked up
PUSH_DISTANCE = 0.08


class Task(ABC):
    """A task of the tabletop.

    Attributes:
        name: its key in `TASKS`.
        phrasings: sentence templates that training uses.
        held_out_phrasings: templates that only evaluation uses.
    """

    name: str
    phrasings: tuple[str, ...]
    held_out_phrasings: tuple[str, ...]

    @abstractmethod
    def scene(self, rng: np.random.Generator) -> Scene:
        """Draw a scene and its instruction."""

    @abstractmethod
    def conditions(self, world: World) -> dict[str, bool]:
        """Goal conditions now, by name. The task is done when all hold."""

    @abstractmethod
    def expert(self, world: World) -> np.ndarray:
        """The scripted expert's plan from the state of the world now: (5, 7) waypoints."""


def _things(rng: np.random.Generator, shapes: list[str], gaps: list[float]) -> tuple[Object, ...]:
    """Objects of the given shapes, no two alike, none closer to another than its gap."""
    kinds: list[tuple[str, str]] = []
    for shape in shapes:
        free = [color for color in COLORS if (shape, color) not in kinds]
        kinds.append((shape, str(rng.choice(free))))
    for _ in range(10_000):
        centers = rng.uniform(AREA[:, 0], AREA[:, 1], size=(len(shapes), 2))
        distances = np.linalg.norm(centers[:, None] - centers[None], axis=-1)
        needed = np.maximum.outer(gaps, gaps)
        np.fill_diagonal(needed, 0.0)
        if (distances >= needed).all():
            break
    else:
        raise CourseError(f"{len(shapes)} objects do not fit in the area {AREA.tolist()}; use fewer")
    yaws = rng.uniform(-np.pi / 4, np.pi / 4, size=len(shapes))
    return tuple(
        Object(shape, color, float(x), float(y), float(yaw))
        for (shape, color), (x, y), yaw in zip(kinds, centers, yaws, strict=True)
    )


def _waypoint(x: float, y: float, z: float, yaw: float, gripper: float) -> list[float]:
    return [x, y, z, 0.0, 0.0, yaw, gripper]


def _grasp_yaw(thing: Object) -> float:
    """Only a cube has sides to align with."""
    return thing.yaw if thing.shape == "cube" else 0.0


def hand_clear(world: World) -> bool:
    """Whether the tool is at least 12 cm above the table."""
    return bool(world.robot.tool_pose()[0][2] > 0.12)


class PickUp(Task):
    """Lift the named object off the table."""

    name = "pick"
    phrasings = (
        "pick up the {target}",
        "pick the {target} up",
        "grab the {target}",
        "lift the {target}",
        "take the {target}",
        "please pick up the {target}",
        "get the {target}",
        "raise the {target} from the table",
    )
    held_out_phrasings = (
        "could you pick up the {target}",
        "lift up the {target} please",
        "grab hold of the {target}",
        "now fetch me the {target}",
    )

    def scene(self, rng: np.random.Generator) -> Scene:
        """Four graspable objects; any of them may be the target."""
        shapes = [str(s) for s in rng.choice(GRASPABLE, size=4)]
        objects = _things(rng, shapes, [MIN_GAP] * 4)
        return Scene(objects, int(rng.integers(4)), None, str(rng.choice(self.phrasings)))

    def conditions(self, world: World) -> dict[str, bool]:
        """Both fingers hold the target, and it has risen by `LIFT_HEIGHT`."""
        target = world.scene.target
        risen = world.position(target)[2] - world.start_positions[target][2]
        return {"grasped": world.grasped(target), "lifted": bool(risen >= LIFT_HEIGHT)}

    def expert(self, world: World) -> np.ndarray:
        """Above, down, close, up, and up again."""
        x, y, z = world.position(world.scene.target)
        yaw = _grasp_yaw(world.scene.objects[world.scene.target])
        return np.array(
            [
                _waypoint(x, y, 0.15, yaw, OPEN),
                _waypoint(x, y, 0.07, yaw, OPEN),
                _waypoint(x, y, z, yaw, CLOSED),
                _waypoint(x, y, 0.10, yaw, CLOSED),
                _waypoint(x, y, 0.25, yaw, CLOSED),
            ],
            dtype=np.float32,
        )


class PlaceInBowl(Task):
    """Put the named object into the bowl."""

    name = "place"
    phrasings = (
        "put the {target} in the {reference}",
        "place the {target} in the {reference}",
        "drop the {target} into the {reference}",
        "move the {target} to the {reference}",
        "put the {target} into the {reference}",
        "set the {target} down in the {reference}",
    )
    held_out_phrasings = (
        "could you put the {target} inside the {reference}",
        "the {target} belongs in the {reference}",
        "please place the {target} into the {reference}",
    )

    def scene(self, rng: np.random.Generator) -> Scene:
        """Two graspable objects and a bowl."""
        shapes = ["bowl", *(str(s) for s in rng.choice(GRASPABLE, size=2))]
        objects = _things(rng, shapes, [BOWL_GAP, MIN_GAP, MIN_GAP])
        return Scene(objects, int(rng.integers(1, 3)), 0, str(rng.choice(self.phrasings)))

    def conditions(self, world: World) -> dict[str, bool]:
        """The target lies in the bowl, and the hand is clear of it."""
        target, bowl = world.scene.target, world.scene.reference
        offset = world.position(target) - world.position(bowl)
        return {
            "in_bowl": bool(np.linalg.norm(offset[:2]) < BOWL_RADIUS and 0 < offset[2] < 0.06),
            "hand_clear": hand_clear(world),
        }

    def expert(self, world: World) -> np.ndarray:
        """Above, down and close, up, over the bowl and open, up."""
        x, y, z = world.position(world.scene.target)
        bowl_x, bowl_y, _ = world.position(world.scene.reference)
        yaw = _grasp_yaw(world.scene.objects[world.scene.target])
        return np.array(
            [
                _waypoint(x, y, 0.12, yaw, OPEN),
                _waypoint(x, y, z, yaw, CLOSED),
                _waypoint(x, y, 0.15, yaw, CLOSED),
                _waypoint(bowl_x, bowl_y, 0.085, yaw, OPEN),
                _waypoint(bowl_x, bowl_y, 0.18, yaw, OPEN),
            ],
            dtype=np.float32,
        )


class Push(Task):
    """Push the named object sideways; left and right are those of the front camera's picture."""

    def __init__(self, side: str):
        self.name = f"push_{side}"
        # The front camera faces the robot: its left is the robot's right, which is -y.
        self.direction = np.array([0.0, -1.0 if side == "left" else 1.0])
        self.phrasings = tuple(
            f"{start} {{target}} {end} {side}"
            for start in ("push the", "slide the", "move the")
            for end in ("to the", "toward the")
        )
        self.held_out_phrasings = (
            f"please push the {{target}} to the {side}",
            f"shove the {{target}} to the {side}",
            f"slide the {{target}} over to the {side} side",
        )

    def scene(self, rng: np.random.Generator) -> Scene:
        """Three objects that do not roll; the target has a clear lane to be pushed along."""
        shapes = [str(s) for s in rng.choice(["cube", "cylinder"], size=3)]
        while True:
            objects = _things(rng, shapes, [MIN_GAP] * 3)
            lanes = [i for i in range(3) if self._clear(objects, i)]
            if lanes:
                target = int(rng.choice(lanes))
                return Scene(objects, target, None, str(rng.choice(self.phrasings)))

    def _clear(self, objects: tuple[Object, ...], index: int) -> bool:
        """Whether object `index` can be pushed without meeting another, and stays in the area."""
        centers = np.array([[o.x, o.y] for o in objects])
        offsets = np.delete(centers, index, axis=0) - centers[index]
        along = offsets @ self.direction
        in_lane = (np.abs(offsets[:, 0]) < 0.08) & (along > -0.14) & (along < 0.22)
        end = centers[index] @ self.direction + 0.12
        return not in_lane.any() and bool(end < AREA[1, 1])

    def conditions(self, world: World) -> dict[str, bool]:
        """The target went `PUSH_DISTANCE` to the side, straight, and stands; the hand is clear of it."""
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
        x, y, z = world.position(world.scene.target)
        side = self.direction[1]
        start, half, end = y - 0.07 * side, y + 0.02 * side, y + 0.085 * side
        # A quarter turn: the flat of the hand faces the object and both fingers push it.
        yaw = np.pi / 2
        return np.array(
            [
                _waypoint(x, start, 0.15, yaw, CLOSED),
                _waypoint(x, start, z, yaw, CLOSED),
                _waypoint(x, half, z, yaw, CLOSED),
                _waypoint(x, end, z, yaw, CLOSED),
                _waypoint(x, end, 0.16, yaw, CLOSED),
            ],
            dtype=np.float32,
        )


TASKS: dict[str, Task] = {task.name: task for task in (PickUp(), PlaceInBowl(), Push("left"), Push("right"))}


def get_task(name: str) -> Task:
    """The task called `name`.

    Raises:
        CourseError: there is none.
    """
    one_of("task", name, TASKS)
    return TASKS[name]
