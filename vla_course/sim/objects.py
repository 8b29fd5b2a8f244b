"""The things on the table: four shapes in eight colors."""

from dataclasses import dataclass

import numpy as np
import pybullet

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
SHAPES = (*GRASPABLE, "bowl")

CUBE_HALF = 0.023
CYLINDER_RADIUS, CYLINDER_HEIGHT = 0.020, 0.068
BALL_RADIUS = 0.024
BOWL_RADIUS, BOWL_HEIGHT, BOWL_WALLS = 0.062, 0.035, 12

_ASLEEP = pybullet.ACTIVATION_STATE_ENABLE_SLEEPING | pybullet.ACTIVATION_STATE_SLEEP

# Height of each shape's center above the table when it rests, metres.
REST_HEIGHT = {"cube": CUBE_HALF, "cylinder": CYLINDER_HEIGHT / 2, "ball": BALL_RADIUS, "bowl": 0.0}


@dataclass(frozen=True)
class Object:
    """One thing on the table.

    Attributes:
        shape: one of `SHAPES`.
        color: a key of `COLORS`.
        x, y: center on the table, metres, robot base frame.
        yaw: rotation about the vertical, radians.
    """

    shape: str
    color: str
    x: float
    y: float
    yaw: float

    @property
    def name(self) -> str:
        """The words that name it in an instruction, such as "red cube"."""
        return f"{self.color} {self.shape}"


def spawn(client: int, thing: Object) -> int:
    """Create the body of `thing`, at rest on the table.

    Returns:
        PyBullet's body id.
    """
    if thing.shape == "bowl":
        collision, visual = _bowl(client, thing.color)
    else:
        geometry = {
            "cube": dict(shapeType=pybullet.GEOM_BOX, halfExtents=[CUBE_HALF] * 3),
            "cylinder": dict(shapeType=pybullet.GEOM_CYLINDER, radius=CYLINDER_RADIUS),
            "ball": dict(shapeType=pybullet.GEOM_SPHERE, radius=BALL_RADIUS),
        }[thing.shape]
        # PyBullet names a cylinder's length differently for the two kinds of shape.
        tall = thing.shape == "cylinder"
        collision = pybullet.createCollisionShape(
            **geometry, **({"height": CYLINDER_HEIGHT} if tall else {}), physicsClientId=client
        )
        visual = pybullet.createVisualShape(
            **geometry,
            **({"length": CYLINDER_HEIGHT} if tall else {}),
            rgbaColor=[*COLORS[thing.color], 1],
            physicsClientId=client,
        )
    body = pybullet.createMultiBody(
        baseMass=0.3 if thing.shape == "bowl" else 0.08,
        baseCollisionShapeIndex=collision,
        baseVisualShapeIndex=visual,
        basePosition=[thing.x, thing.y, REST_HEIGHT[thing.shape]],
        baseOrientation=pybullet.getQuaternionFromEuler([0, 0, thing.yaw]),
        physicsClientId=client,
    )
    rolls = thing.shape == "ball"  # a little rolling friction keeps it from wandering off
    pybullet.changeDynamics(
        body, -1, lateralFriction=0.8, rollingFriction=0.002 if rolls else 0.0, physicsClientId=client
    )
    # Objects start at rest and asleep, and wake when something touches them. Four resting objects
    # would otherwise take more than half of the physics time.
    pybullet.changeDynamics(body, -1, activationState=_ASLEEP, physicsClientId=client)
    return body


def _bowl(client: int, color: str) -> tuple[int, int]:
    """A bowl from boxes: a floor and a ring of leaning walls. The origin is on its underside."""
    angles = np.arange(BOWL_WALLS) * 2 * np.pi / BOWL_WALLS
    lean = 0.35
    wall_radius = BOWL_RADIUS - 0.012
    half_extents = [[BOWL_RADIUS * 0.62, BOWL_RADIUS * 0.62, 0.003]]
    positions, orientations = [[0, 0, 0.003]], [[0, 0, 0, 1]]
    for angle in angles:
        half_extents.append([0.003, wall_radius * np.tan(np.pi / BOWL_WALLS) + 0.004, BOWL_HEIGHT / 2])
        positions.append([wall_radius * np.cos(angle), wall_radius * np.sin(angle), BOWL_HEIGHT / 2])
        orientations.append(pybullet.getQuaternionFromEuler([0, lean, angle]))
    boxes = dict(shapeTypes=[pybullet.GEOM_BOX] * len(positions), halfExtents=half_extents)
    collision = pybullet.createCollisionShapeArray(
        **boxes,
        collisionFramePositions=positions,
        collisionFrameOrientations=orientations,
        physicsClientId=client,
    )
    visual = pybullet.createVisualShapeArray(
        **boxes,
        visualFramePositions=positions,
        visualFrameOrientations=orientations,
        rgbaColors=[[*COLORS[color], 1]] * len(positions),
        physicsClientId=client,
    )
    return collision, visual
