"""Fixtures: a button that can be pressed, and a cabinet with a drawer. Each has one sliding joint.

They are described as URDF, as robots are. The drawer slides toward +x, away from the robot, and has an upright peg as
its handle. Friction holds it where it is left; a spring brings the button back up.
"""

import functools
import tempfile
from pathlib import Path

import pybullet

from vla_course.sim.objects import COLORS, Object

BUTTON_HEIGHT, BUTTON_TRAVEL = 0.040, 0.010  # metres: the top of the cap when nobody presses, and how far it goes
BUTTON_SPRING = 4.0  # newtons

DRAWER_TRAVEL = 0.12  # metres
DRAWER_FRICTION = 2.0  # newtons
DRAWER_SIZE = (0.15, 0.15, 0.055)  # outside depth (x), width (y) and height of the drawer, metres
SLOT = 0.088  # depth of its front part, up to a divider that keeps what lies there from sliding back, metres
DRAWER_FLOOR = 0.016  # height of its floor above the table, metres
WALL = 0.006  # thickness of floor and walls, metres
HANDLE = (0.022, 0.062)  # how far the peg stands before the drawer, and its height, metres
FIXTURES = ("button", "drawer")

# Holds the descriptions until the process ends.
_folder = tempfile.TemporaryDirectory(prefix="vla_course_")


def spawn_fixture(client: int, item: Object) -> int:
    """Create a fixture.

    Returns:
        PyBullet's body id; its one joint has index 0.
    """
    body = pybullet.loadURDF(_described(item.shape), [item.x, item.y, 0], useFixedBase=True, physicsClientId=client)
    # A handle of rubber: a drawer that is pulled fast slips out of the fingers otherwise.
    pybullet.changeDynamics(body, 0, lateralFriction=3.0, physicsClientId=client)
    pybullet.changeVisualShape(body, 0, rgbaColor=[*COLORS[item.color], 1], physicsClientId=client)
    mode, force = (
        (dict(controlMode=pybullet.POSITION_CONTROL, targetPosition=0.0), BUTTON_SPRING)
        if item.shape == "button"
        else (dict(controlMode=pybullet.VELOCITY_CONTROL, targetVelocity=0.0), DRAWER_FRICTION)
    )
    pybullet.setJointMotorControl2(body, 0, force=force, **mode, physicsClientId=client)
    return body


@functools.cache
def _described(shape: str) -> str:
    path = Path(_folder.name) / f"{shape}.urdf"
    path.write_text(button_urdf() if shape == "button" else drawer_urdf())
    return str(path)


def button_urdf() -> str:
    """A box with a cap that slides down by `BUTTON_TRAVEL`."""
    cap = '<cylinder radius="0.026" length="0.020"/>'
    return _urdf(
        _link("base", 0, [_part('<box size="0.08 0.08 0.024"/>', (0, 0, 0.012))], "0.35 0.35 0.38 1"),
        _link("cap", 0.03, [_part(cap, (0, 0, BUTTON_HEIGHT - 0.010))], "1 1 1 1"),
        joint=f'<parent link="base"/><child link="cap"/><axis xyz="0 0 -1"/>'
        f'<limit lower="0" upper="{BUTTON_TRAVEL}" effort="50" velocity="1"/>',
    )


def drawer_urdf() -> str:
    """A cabinet, open in front, and a drawer that slides out by `DRAWER_TRAVEL`. The origin is below its front."""
    depth, width, height = DRAWER_SIZE
    middle, top = -depth / 2, DRAWER_FLOOR + height + 0.008
    cabinet = [_box((depth, WALL, top), (middle, side * (width / 2 + WALL), top / 2)) for side in (-1, 1)] + [
        _box((WALL, width + 3 * WALL, top), (-depth - WALL, 0, top / 2)),
        _box((depth + WALL, width + 3 * WALL, WALL), (middle - WALL / 2, 0, top)),
    ]
    walls = DRAWER_FLOOR + height / 2
    drawer = [
        _box((depth, width - 2 * WALL, WALL), (middle, 0, DRAWER_FLOOR - WALL / 2)),
        *(_box((depth, WALL, height), (middle, side * (width / 2 - WALL), walls)) for side in (-1, 1)),
        *(_box((WALL, width - WALL, height), (x, 0, walls)) for x in (-depth + WALL, -SLOT, -WALL / 2)),
        _box((HANDLE[0], 0.012, 0.012), (HANDLE[0] / 2, 0, DRAWER_FLOOR + 0.006)),
        _box((0.020, 0.016, HANDLE[1]), (HANDLE[0], 0, DRAWER_FLOOR + HANDLE[1] / 2)),
    ]
    return _urdf(
        _link("cabinet", 0, cabinet, "0.45 0.33 0.22 1"),
        _link("drawer", 0.3, drawer, "1 1 1 1"),
        joint=f'<parent link="cabinet"/><child link="drawer"/><axis xyz="1 0 0"/>'
        f'<limit lower="0" upper="{DRAWER_TRAVEL}" effort="50" velocity="1"/>',
    )


def _box(size: tuple[float, float, float], center: tuple[float, float, float]) -> str:
    return _part('<box size="{} {} {}"/>'.format(*size), center)


def _part(geometry: str, center: tuple[float, float, float]) -> str:
    return '<origin xyz="{} {} {}"/><geometry>{}</geometry>'.format(*center, geometry)


def _link(name: str, mass: float, parts: list[str], rgba: str) -> str:
    drawn = "".join(
        f'<visual>{part}<material name="{name}"><color rgba="{rgba}"/></material></visual>' for part in parts
    )
    solid = "".join(f"<collision>{part}</collision>" for part in parts)
    inertia = '<inertia ixx="1e-3" ixy="0" ixz="0" iyy="1e-3" iyz="0" izz="1e-3"/>'
    return f'<link name="{name}"><inertial><mass value="{mass}"/>{inertia}</inertial>{drawn}{solid}</link>'


def _urdf(*links: str, joint: str) -> str:
    return f'<robot name="fixture">{"".join(links)}<joint name="slide" type="prismatic">{joint}</joint></robot>'
