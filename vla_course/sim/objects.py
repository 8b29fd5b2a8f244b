"""The things on the table: what they look like, what they weigh, where they rest."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pybullet

from vla_course.sim.things import thing

COLORS: dict[str, tuple[float, float, float]] = {
    "red": (0.85, 0.10, 0.10),
    "orange": (0.95, 0.50, 0.05),
    "yellow": (0.95, 0.90, 0.10),
    "green": (0.10, 0.60, 0.15),
    "blue": (0.10, 0.20, 0.85),
    "purple": (0.55, 0.15, 0.70),
    "white": (0.97, 0.97, 0.97),
    "black": (0.06, 0.06, 0.06),
}
GRASPABLE = ("cube", "cylinder", "ball")
STANDING = ("cube", "cylinder")  # these do not roll

CUBE_HALF = 0.023
CYLINDER_RADIUS, CYLINDER_HEIGHT = 0.020, 0.068
BALL_RADIUS = 0.024
WALLS = 12  # of a bowl or a plate
BOWL_RADIUS, BOWL_HEIGHT = 0.062, 0.035
PLATE_RADIUS, PLATE_HEIGHT = 0.072, 0.014

ASLEEP = pybullet.ACTIVATION_STATE_ENABLE_SLEEPING | pybullet.ACTIVATION_STATE_SLEEP


@dataclass(frozen=True)
class Object:
    """One thing on the table.

    Attributes:
        shape: "cube", "cylinder", "ball", "thing", "bowl", "plate", "button" or "drawer".
        color: a key of `COLORS`.
        x, y: center on the table, metres, robot base frame.
        yaw: rotation about the vertical, radians.
        size: how much larger than usual; of cubes, cylinders, balls and bowls.
        model: which of the procedural things; see `vla_course.sim.things`.
        inside: index of the drawer that it starts in, or None.
    """

    shape: str
    color: str
    x: float
    y: float
    yaw: float
    size: float = 1.0
    model: int = 0
    inside: int | None = None

    @property
    def name(self) -> str:
        """The words that name it in an instruction, such as "red cube"."""
        return f"{self.color} {self.shape}"

    @property
    def rest_height(self) -> float:
        """Height of its center above what it stands on, metres; of fixtures and dishes, that of their underside."""
        if self.shape == "thing":
            return thing(self.model).rest_height
        return self.size * {"cube": CUBE_HALF, "cylinder": CYLINDER_HEIGHT / 2, "ball": BALL_RADIUS}.get(self.shape, 0)

    @property
    def grasp_yaw(self) -> float:
        """How the hand turns to grasp it from above, radians. Only a cube and a thing have sides to align with."""
        if self.shape == "thing":
            return wrap(self.yaw + thing(self.model).grasp_yaw)
        return self.yaw if self.shape == "cube" else 0.0


def wrap(yaw: float) -> float:
    """The same direction of a two-fingered hand, within a quarter turn of straight ahead; radians."""
    return float((yaw + np.pi / 2) % np.pi - np.pi / 2)


def spawn(client: int, item: Object, height: float = 0.0) -> int:
    """Create the body of an object, at rest on something `height` metres above the table.

    Returns:
        PyBullet's body id.
    """
    collision, visual = SHAPES[item.shape](client, item)
    body = pybullet.createMultiBody(
        baseMass=0.3 if item.shape in ("bowl", "plate") else 0.08 * item.size**3,
        baseCollisionShapeIndex=collision,
        baseVisualShapeIndex=visual,
        basePosition=[item.x, item.y, height + item.rest_height],
        baseOrientation=pybullet.getQuaternionFromEuler([0, 0, item.yaw]),
        physicsClientId=client,
    )
    rolls = item.shape in ("ball", "thing")  # a little rolling friction keeps it from wandering off
    pybullet.changeDynamics(
        body, -1, lateralFriction=0.8, rollingFriction=0.002 if rolls else 0.0, physicsClientId=client
    )
    # Objects start at rest and asleep, and wake when something touches them. Four resting objects would otherwise take
    # more than half of the physics time. A drawer does not wake what lies in it.
    if item.inside is None:
        pybullet.changeDynamics(body, -1, activationState=ASLEEP, physicsClientId=client)
    return body


def _primitive(client: int, item: Object) -> tuple[int, int]:
    """Collision and visual shape of a cube, cylinder or ball."""
    geometry = {
        "cube": dict(shapeType=pybullet.GEOM_BOX, halfExtents=[item.size * CUBE_HALF] * 3),
        "cylinder": dict(shapeType=pybullet.GEOM_CYLINDER, radius=item.size * CYLINDER_RADIUS),
        "ball": dict(shapeType=pybullet.GEOM_SPHERE, radius=item.size * BALL_RADIUS),
    }[item.shape]
    geometry["physicsClientId"] = client
    long = item.size * CYLINDER_HEIGHT  # PyBullet has two names for it, and uses it for cylinders only
    return (
        pybullet.createCollisionShape(**geometry, height=long),
        pybullet.createVisualShape(**geometry, length=long, rgbaColor=[*COLORS[item.color], 1]),
    )


def _thing(client: int, item: Object) -> tuple[int, int]:
    model = thing(item.model)
    mesh = dict(shapeType=pybullet.GEOM_MESH, vertices=model.vertices.tolist(), physicsClientId=client)
    flat = model.faces.ravel().tolist()
    return (
        pybullet.createCollisionShape(**mesh),
        pybullet.createVisualShape(**mesh, indices=flat, rgbaColor=[*COLORS[item.color], 1]),
    )


def _dish(radius: float, height: float) -> Callable[[int, Object], tuple[int, int]]:
    """A bowl or a plate from boxes: a floor and a ring of leaning walls. The origin is on its underside."""

    def shapes(client: int, item: Object) -> tuple[int, int]:
        angles = np.arange(WALLS) * 2 * np.pi / WALLS
        lean = 0.35
        outer = radius * item.size
        wall_radius = outer - 0.012
        half_extents = [[outer * 0.62, outer * 0.62, 0.003]]
        positions, orientations = [[0, 0, 0.003]], [[0, 0, 0, 1]]
        for angle in angles:
            half_extents.append([0.003, wall_radius * np.tan(np.pi / WALLS) + 0.004, height / 2])
            positions.append([wall_radius * np.cos(angle), wall_radius * np.sin(angle), height / 2])
            orientations.append(pybullet.getQuaternionFromEuler([0, lean, angle]))
        boxes = dict(shapeTypes=[pybullet.GEOM_BOX] * len(positions), halfExtents=half_extents, physicsClientId=client)
        collision = pybullet.createCollisionShapeArray(
            **boxes, collisionFramePositions=positions, collisionFrameOrientations=orientations
        )
        visual = pybullet.createVisualShapeArray(
            **boxes,
            visualFramePositions=positions,
            visualFrameOrientations=orientations,
            rgbaColors=[[*COLORS[item.color], 1]] * len(positions),
        )
        return collision, visual

    return shapes


SHAPES = {
    "cube": _primitive,
    "cylinder": _primitive,
    "ball": _primitive,
    "thing": _thing,
    "bowl": _dish(BOWL_RADIUS, BOWL_HEIGHT),
    "plate": _dish(PLATE_RADIUS, PLATE_HEIGHT),
}
