"""The physical world: a table, a robot, the objects of one scene, and time."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pybullet

from vla_course.sim.cameras import OVERHEAD, PLAIN, Look, Picture, View, render, wrist_view
from vla_course.sim.fixtures import DRAWER_FLOOR, FIXTURES, spawn_fixture
from vla_course.sim.objects import Object, spawn, wrap
from vla_course.sim.robots import Robot
from vla_course.sim.textures import paint

PHYSICS_HZ = 240
CONTROL_HZ = 10

TABLE_HALF_EXTENTS = (0.45, 0.60, 0.02)
TABLE_CENTER = (0.45, 0.0, -0.02)  # the top is z = 0


@dataclass(frozen=True)
class Scene:
    """What an episode starts from.

    Attributes:
        objects: the things on the table.
        target: index of the one the instruction is about.
        reference: index of the one it relates to (the bowl of "in the bowl"), or None.
        phrasing: the sentence's template, with "{target}" and perhaps "{reference}" to fill in.
        slides: index of a fixture to how far its joint is moved at the start, metres.
        names: the words for each object, where they are not its color and shape.
        look: light, table, background, camera.
        start: where the tool starts, from where it usually does: x, y, z in metres, yaw in radians.
    """

    objects: tuple[Object, ...]
    target: int
    reference: int | None
    phrasing: str
    slides: dict[int, float] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    look: Look = PLAIN
    start: tuple[float, float, float, float] | None = None

    def instruction(self, phrasing: str | None = None, target: int | None = None) -> str:
        """The sentence that the robot is told.

        Args:
            phrasing: another template than the scene's own.
            target: index of another object to name.
        """
        words = self.names or tuple(item.name for item in self.objects)
        chosen = {"target": words[self.target if target is None else target]}
        if self.reference is not None:
            chosen["reference"] = words[self.reference]
        return (phrasing or self.phrasing).format(**chosen)


class World:
    """One PyBullet world. Reset it with a scene, then command the robot and let time pass."""

    def __init__(self, robot: str):
        self.client = pybullet.connect(pybullet.DIRECT)
        self.robot_name = robot
        self.after_step: list[Callable[[], None]] = []  # called after every physics step
        try:
            self.reset(Scene((), 0, None, ""))
        except Exception:
            self.close()
            raise

    def reset(self, scene: Scene) -> None:
        """Build everything anew, so that a scene does not depend on the ones before it."""
        pybullet.resetSimulation(physicsClientId=self.client)
        pybullet.setGravity(0, 0, -9.81, physicsClientId=self.client)
        pybullet.setPhysicsEngineParameter(
            fixedTimeStep=1 / PHYSICS_HZ,
            numSolverIterations=30,
            solverResidualThreshold=1e-4,
            physicsClientId=self.client,
        )
        self.table = self._table()
        self.robot = Robot(self.client, self.robot_name)
        self.scene = scene
        self.bodies = [self._spawn(item) for item in scene.objects]
        for index, out in scene.slides.items():
            pybullet.resetJointState(self.bodies[index], 0, out, physicsClientId=self.client)
        self.start_positions = [self.position(i) for i in range(len(self.bodies))]
        if scene.look.table:
            paint(self.client, self.table, scene.look.table)
        if scene.look.background:
            paint(self.client, self._wall(), scene.look.background)
        if scene.start:
            self._start_at(np.array(scene.start))

    def _start_at(self, offset: np.ndarray) -> None:
        """Put the arm where the tool is `offset` (x, y, z, yaw) from its usual start, at rest."""
        pose = self.robot.proprioception()[:6] + np.array([*offset[:3], 0, 0, offset[3]])
        angles = self.robot.inverse_kinematics(pose[:3], pose[3:])
        for joint, angle in zip(self.robot.model.arm, angles, strict=True):
            pybullet.resetJointState(self.robot.body, joint, angle, physicsClientId=self.client)
        self.robot.command_joints(angles, gripper=1.0)

    def _spawn(self, item: Object) -> int:
        if item.shape in FIXTURES:
            return spawn_fixture(self.client, item)
        return spawn(self.client, item, 0.0 if item.inside is None else DRAWER_FLOOR)

    def _wall(self) -> int:
        """Something to see behind the robot; nothing can touch it."""
        box = dict(shapeType=pybullet.GEOM_BOX, halfExtents=(0.01, 1.0, 0.6), physicsClientId=self.client)
        visual = pybullet.createVisualShape(**box, rgbaColor=[1, 1, 1, 1])
        return pybullet.createMultiBody(
            baseVisualShapeIndex=visual, basePosition=(-0.5, 0, -0.45), physicsClientId=self.client
        )

    def _table(self) -> int:
        box = dict(shapeType=pybullet.GEOM_BOX, halfExtents=TABLE_HALF_EXTENTS, physicsClientId=self.client)
        return pybullet.createMultiBody(
            baseMass=0,
            baseCollisionShapeIndex=pybullet.createCollisionShape(**box),
            baseVisualShapeIndex=pybullet.createVisualShape(**box, rgbaColor=[0.62, 0.55, 0.48, 1]),
            basePosition=TABLE_CENTER,
            physicsClientId=self.client,
        )

    def tick(self) -> None:
        """Let one control period pass: 1 / `CONTROL_HZ` seconds."""
        for _ in range(PHYSICS_HZ // CONTROL_HZ):
            pybullet.stepSimulation(physicsClientId=self.client)
            for call in self.after_step:
                call()

    def position(self, index: int) -> np.ndarray:
        """Center of object `index` of the scene: (3,) metres."""
        return np.array(pybullet.getBasePositionAndOrientation(self.bodies[index], physicsClientId=self.client)[0])

    def slide(self, index: int) -> float:
        """How far the joint of fixture `index` is moved, metres."""
        return pybullet.getJointState(self.bodies[index], 0, physicsClientId=self.client)[0]

    def grasp_yaw(self, index: int) -> float:
        """How the hand turns to grasp object `index` from above as it lies now, radians."""
        item = self.scene.objects[index]
        position, turn = pybullet.getBasePositionAndOrientation(self.bodies[index], physicsClientId=self.client)
        if np.linalg.norm(position - self.start_positions[index]) < 0.001:
            return item.grasp_yaw
        axes = np.reshape(pybullet.getMatrixFromQuaternion(turn), (3, 3))  # columns: the object's axes
        if item.shape == "cylinder":
            lies = abs(axes[2, 2]) < 0.7
            return wrap(np.arctan2(axes[1, 2], axes[0, 2])) if lies else 0.0
        if item.shape == "cube":
            flat = axes[:, np.argmin(np.abs(axes[2]))]  # an axis that is level, also after the cube has tipped over
            return float((np.arctan2(flat[1], flat[0]) + np.pi / 4) % (np.pi / 2) - np.pi / 4)
        turned = np.arctan2(axes[1, 0], axes[0, 0])
        return wrap(turned + item.grasp_yaw - item.yaw)

    def picture(self, camera: str, size: int) -> Picture:
        """What `camera` ("front", "wrist" or "overhead") sees, `size` x `size` pixels."""
        return render(self.client, self.view(camera), size, self.scene.look)

    def view(self, camera: str) -> View:
        """Where `camera` stands now."""
        if camera == "wrist":
            return wrist_view(*self.robot.tool_pose())
        return OVERHEAD if camera == "overhead" else self.scene.look.front()

    def contact_force(self, body: int, link: int | None = None) -> float:
        """Largest normal force between the robot and `body` now, in newtons.

        Args:
            link: only this link of the robot.
        """
        only = {} if link is None else {"linkIndexA": link}
        contacts = pybullet.getContactPoints(bodyA=self.robot.body, bodyB=body, physicsClientId=self.client, **only)
        return max((contact[9] for contact in contacts), default=0.0)

    def grasped(self, index: int) -> bool:
        """Whether every finger presses on object `index`."""
        body = self.bodies[index]
        return all(self.contact_force(body, finger) > 0 for finger in self.robot.model.fingers)

    def close(self) -> None:
        """Free the physics server."""
        if self.client >= 0:
            pybullet.disconnect(self.client)
            self.client = -1
