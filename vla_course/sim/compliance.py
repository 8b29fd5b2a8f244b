"""An arm that gives way, so that a person can take it by the hand and lead it.

Usually each joint's motor holds its angle with all its force. For kinesthetic teaching it only brakes, with a torque as
small as the friction of a real joint, and in each physics step the joints get the torques g(q) that hold the arm up
against gravity: inverse dynamics (`calculateInverseDynamics`) for no velocity and no acceleration. The arm then weighs
nothing, gives way to a few newtons, and stays where it is left. The gripper's motors stay on; a button closes it.

Two other ways were not taken. Position control with a low gain pulls back to where the arm was, so that the person
feels a spring that is not there. A viscous torque, -d * dq/dt, must be computed from the velocity before the step: on
the last joint, which turns a light hand, d = 0.5 N m s/rad grew to 100 rad/s (xArm 6, measured). The brake is part of
PyBullet's constraint solver, and stable.
"""

import numpy as np
import pybullet
from scipy.spatial.transform import Rotation

from vla_course.sim.robots import POINTING_DOWN
from vla_course.sim.world import World

FRICTION = 0.2  # N m with which each joint brakes
STIFFNESS, TURN_STIFFNESS = 600.0, 15.0  # N/m and N m/rad of a hand that leads the arm
DAMPING, TURN_DAMPING = 60.0, 0.1  # N s/m and N m s/rad
STRONGEST, STRONGEST_TURN = 40.0, 10.0  # N and N m that a person applies


class CompliantArm:
    """Makes a world's arm compliant until `release`.

    Args:
        world: after its reset. The arm gives way from now on, each time `world.tick` is called.
    """

    def __init__(self, world: World):
        self.world = world
        robot = world.robot
        self._moving = [j for j in range(pybullet.getNumJoints(robot.body, physicsClientId=world.client))
                        if pybullet.getJointInfo(robot.body, j, physicsClientId=world.client)[3] > -1]  # fmt: skip
        self._arm = [self._moving.index(j) for j in robot.model.arm]
        # A motor that wants velocity 0 and has little force is a brake.
        pybullet.setJointMotorControlArray(
            robot.body,
            robot.model.arm,
            pybullet.VELOCITY_CONTROL,
            targetVelocities=[0.0] * len(self._arm),
            forces=[FRICTION] * len(self._arm),
            physicsClientId=world.client,
        )
        self.push(np.zeros(3), np.zeros(3))
        self._apply()
        world.after_step.append(self._apply)  # forces act for one physics step only

    def push(self, force: np.ndarray, torque: np.ndarray) -> None:
        """Push and turn the hand, from now until the next call.

        Args:
            force: (3,) newtons at the tool, robot base frame.
            torque: (3,) N m.
        """
        self._hand = lambda: (np.array(force, float), np.array(torque, float))

    def lead(self, position: np.ndarray, orientation: np.ndarray) -> None:
        """Pull the hand toward a pose, from now until the next call, as a person does who holds it: a damped spring.

        Args:
            position: (3,) metres.
            orientation: (4,) quaternion x, y, z, w.
        """

        def spring() -> tuple[np.ndarray, np.ndarray]:
            here, turned, velocity, spin = self._tool()
            force = STIFFNESS * (position - here) - DAMPING * velocity
            turn = (Rotation.from_quat(orientation) * Rotation.from_quat(turned).inv()).as_rotvec()
            return _at_most(force, STRONGEST), _at_most(TURN_STIFFNESS * turn - TURN_DAMPING * spin, STRONGEST_TURN)

        self._hand = spring

    def release(self) -> None:
        """End it: the motors hold the arm where it is."""
        self.world.after_step.remove(self._apply)
        robot = self.world.robot
        robot.command_joints(robot.joint_positions(), robot.proprioception()[6])

    def _tool(self) -> tuple[np.ndarray, ...]:
        """The tool's position, quaternion, velocity and angular velocity."""
        robot = self.world.robot
        state = pybullet.getLinkState(
            robot.body, robot.model.tool, computeLinkVelocity=True, computeForwardKinematics=True,
            physicsClientId=self.world.client,
        )  # fmt: skip
        return tuple(np.array(state[k]) for k in (4, 5, 6, 7))

    def _apply(self) -> None:
        """The torques and forces of one physics step."""
        robot, client = self.world.robot, self.world.client
        states = pybullet.getJointStates(robot.body, self._moving, physicsClientId=client)
        angles, still = [s[0] for s in states], [0.0] * len(states)
        gravity = np.array(pybullet.calculateInverseDynamics(robot.body, angles, still, still, physicsClientId=client))[
            self._arm
        ]
        pybullet.setJointMotorControlArray(
            robot.body,
            robot.model.arm,
            pybullet.TORQUE_CONTROL,
            forces=gravity.tolist(),
            physicsClientId=client,
        )
        force, torque = self._hand()
        where = self._tool()[0].tolist()
        hand, world = (robot.body, robot.model.tool), pybullet.WORLD_FRAME
        pybullet.applyExternalForce(*hand, force.tolist(), where, world, physicsClientId=client)
        pybullet.applyExternalTorque(*hand, torque.tolist(), world, physicsClientId=client)


def orientation(rpy: np.ndarray) -> np.ndarray:
    """The quaternion (4,) of roll, pitch, yaw (3,) in radians, where zeros point the hand straight down."""
    return (Rotation.from_euler("xyz", rpy) * Rotation.from_quat(POINTING_DOWN)).as_quat()


def _at_most(vector: np.ndarray, limit: float) -> np.ndarray:
    return vector * min(1.0, limit / max(float(np.linalg.norm(vector)), 1e-9))
