"""The physical world: a table, a robot, the objects of one scene, and time."""

from dataclasses import dataclass

import numpy as np
import pybullet

from vla_course.sim.cameras import FRONT, Picture, View, render, wrist_view
from vla_course.sim.objects import Object, spawn
from vla_course.sim.robots import Robot

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
    """

    objects: tuple[Object, ...]
    target: int
    reference: int | None
    phrasing: str

    def instruction(self, phrasing: str | None = None, target: int | None = None) -> str:
        """The sentence that the robot is told.

        Args:
            phrasing: another template than the scene's own.
            target: index of another object to name.
        """
        names = {"target": self.objects[self.target if target is None else target].name}
        if self.reference is not None:
            names["reference"] = self.objects[self.reference].name
        return (phrasing or self.phrasing).format(**names)


class World:
    """One PyBullet world. Reset it with a scene, then command the robot and let time pass."""

    def __init__(self, robot: str):
        self.client = pybullet.connect(pybullet.DIRECT)
        self._robot_name = robot
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
        self.robot = Robot(self.client, self._robot_name)
        self.scene = scene
        self.bodies = [spawn(self.client, thing) for thing in scene.objects]
        self.start_positions = [self.position(i) for i in range(len(self.bodies))]

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

    def position(self, index: int) -> np.ndarray:
        """Center of object `index` of the scene: (3,) metres."""
        return np.array(pybullet.getBasePositionAndOrientation(self.bodies[index], physicsClientId=self.client)[0])

    def picture(self, camera: str, size: int) -> Picture:
        """What `camera` ("front" or "wrist") sees, `size` x `size` pixels."""
        return render(self.client, self.view(camera), size)

    def view(self, camera: str) -> View:
        """Where `camera` stands now."""
        return FRONT if camera == "front" else wrist_view(*self.robot.tool_pose())

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
