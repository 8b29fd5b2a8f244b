"""What a task is: sentences, a scene, goal conditions, and an expert.

The expert sees the true state of the world, which the policy never does, and answers with waypoints. A waypoint is
seven numbers: x, y, z in metres, roll, pitch, yaw in radians, gripper (+1 open, -1 closed). The robot goes to the pose
with the gripper as it is, then sets the gripper.
"""

from abc import ABC, abstractmethod

import numpy as np

from vla_course.errors import CourseError
from vla_course.sim.objects import COLORS, GRASPABLE, Object
from vla_course.sim.world import Scene, World

WAYPOINTS = 5  # of most tasks
OPEN, CLOSED = 1.0, -1.0

# Where objects may stand: x then y, metres. Reachable, and in the front camera's picture.
AREA = np.array([[0.38, 0.60], [-0.19, 0.19]])
MIN_GAP = 0.11  # between object centers, metres: room for the open gripper
DISH_GAP = 0.16


class Task(ABC):
    """A task of the tabletop.

    Attributes:
        name: its key in `TASKS`.
        phrasings: sentence templates that training uses.
        held_out_phrasings: templates that only evaluation uses.
        waypoints: how many the expert may take, all its plans together.
        grasps: whether the plan closes the hand on something; if it then holds nothing, something went wrong.
        keeps_shape: which objects ("target", "reference") must have the shapes that `scene` gives them.
        renames: whether its sentence may as well name any other graspable object of the scene.
    """

    name: str
    phrasings: tuple[str, ...]
    held_out_phrasings: tuple[str, ...]
    waypoints: int = WAYPOINTS
    grasps: bool = True
    keeps_shape: tuple[str, ...] = ()
    renames: bool = True

    @abstractmethod
    def scene(self, rng: np.random.Generator) -> Scene:
        """Draw a scene and its instruction."""

    @abstractmethod
    def conditions(self, world: World) -> dict[str, bool]:
        """Goal conditions now, by name. The task is done when all hold."""

    @abstractmethod
    def expert(self, world: World) -> np.ndarray:
        """The scripted expert's plan for what is to be done next: (n, 7) waypoints.

        Short tasks are done with one plan. Long ones need a new plan after each, from the state of the world then.
        """

    def focus(self, world: World) -> tuple[int, int]:
        """The object that is to be moved now, and what it goes to; without such a thing, the object twice."""
        target, reference = world.scene.target, world.scene.reference
        return target, target if reference is None else reference

    def allows(self, scene: Scene, item: Object) -> bool:
        """Whether one more object there would leave the task possible and its sentence clear."""
        return True

    def any_shape(self, scene: Scene, index: int) -> bool:
        """Whether object `index` may as well be another graspable one."""
        kept = [getattr(scene, role) for role in self.keeps_shape]
        return index not in kept and scene.objects[index].shape in GRASPABLE


def things(rng: np.random.Generator, shapes: list[str], gaps: list[float]) -> tuple[Object, ...]:
    """Objects of the given shapes, no two alike, none closer to another than its gap."""
    kinds: list[tuple[str, str]] = []
    for shape in shapes:
        free = [color for color in COLORS if (shape, color) not in kinds]
        kinds.append((shape, str(rng.choice(free))))
    centers = places(rng, gaps)
    yaws = rng.uniform(-np.pi / 4, np.pi / 4, size=len(shapes))
    return tuple(
        Object(shape, color, float(x), float(y), float(yaw))
        for (shape, color), (x, y), yaw in zip(kinds, centers, yaws, strict=True)
    )


def places(rng: np.random.Generator, gaps: list[float], area: np.ndarray = AREA) -> np.ndarray:
    """Centers (n, 2) in the area, none closer to another than the larger of their gaps.

    Raises:
        CourseError: they do not fit.
    """
    needed = np.maximum.outer(gaps, gaps)
    np.fill_diagonal(needed, 0.0)
    for _ in range(10_000):
        centers = rng.uniform(area[:, 0], area[:, 1], size=(len(gaps), 2))
        if (np.linalg.norm(centers[:, None] - centers[None], axis=-1) >= needed).all():
            return centers
    raise CourseError(f"{len(gaps)} objects do not fit in the area {area.tolist()}; use fewer")


def waypoint(x: float, y: float, z: float, yaw: float, gripper: float) -> list[float]:
    """A waypoint with the hand pointing straight down."""
    return [x, y, z, 0.0, 0.0, yaw, gripper]


def plan(*waypoints: list[float]) -> np.ndarray:
    """Waypoints as an array (n, 7)."""
    return np.array(waypoints, dtype=np.float32)


def carry(world: World, index: int, to: np.ndarray, drop: float) -> list[list[float]]:
    """Five waypoints that pick object `index` up and let it go elsewhere.

    Args:
        world: where it lies now.
        index: the object.
        to: (2,) x and y, metres.
        drop: height of its center when the hand opens, metres.
    """
    x, y, z = world.position(index)
    yaw = world.grasp_yaw(index)
    return [
        waypoint(x, y, 0.12, yaw, OPEN),
        waypoint(x, y, z, yaw, CLOSED),
        waypoint(x, y, 0.15, yaw, CLOSED),
        waypoint(*to, drop, yaw, OPEN),
        waypoint(*to, max(drop + 0.095, 0.15), yaw, OPEN),
    ]


def hand_clear(world: World) -> bool:
    """Whether the tool is at least 12 cm above the table."""
    return bool(world.robot.tool_pose()[0][2] > 0.12)
