"""The robot arm: joints, gripper, tool pose, inverse kinematics."""

from dataclasses import dataclass

import numpy as np
import pybullet

from vla_course.errors import one_of
from vla_course.sim.low_poly import GRID, Mount, low_poly_urdf

# The tool frame's z axis points out of the hand. Pointing straight down is a half turn about x; the
# course measures roll, pitch and yaw from there, so (0, 0, 0) is a gripper that points straight down.
POINTING_DOWN = (1.0, 0.0, 0.0, 0.0)
HERE = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class RobotModel:
    """What the course needs to know about a robot.

    Attributes:
        urdf: path inside `pybullet_data`.
        arm, fingers: joint indices.
        tool: index of the link between the fingertips.
        home: joint angles at the start of an episode, radians.
        finger_open: position of each finger joint when open, metres.
        arm_force, finger_force: strongest motor torque (N m) and finger force (N).
        gain: share of a joint's error that its motor corrects in one physics step. With more gain or force than it
            needs, a light arm starts with a jerk that knocks away what it should push.
        base: where the robot stands, metres from the origin, which is where the Panda stands. The
            others stand where the whole work area is within their reach.
        mount: where the arm gets a gripper, if it ships without one.
        grid: how coarsely it is drawn, metres; see `low_poly_urdf`.
    """

    urdf: str
    arm: tuple[int, ...]
    fingers: tuple[int, ...]
    tool: int
    home: tuple[float, ...]
    finger_open: float
    arm_force: float
    finger_force: float
    gain: float = 0.1
    base: tuple[float, float, float] = (0.0, 0.0, 0.0)
    mount: Mount | None = None
    grid: float = GRID


ROBOTS: dict[str, RobotModel] = {
    "panda": RobotModel(
        urdf="franka_panda/panda.urdf",
        arm=(0, 1, 2, 3, 4, 5, 6),
        fingers=(9, 10),
        tool=11,
        home=(0.0, -0.75, 0.0, -2.6, 0.0, 1.85, 0.785),
        finger_open=0.04,
        arm_force=87.0,
        finger_force=20.0,
    ),
    "kuka": RobotModel(
        urdf="kuka_iiwa/model.urdf",
        arm=(0, 1, 2, 3, 4, 5, 6),
        fingers=(8, 9),
        tool=10,
        home=(0.0, 0.185, 0.0, -1.791, 0.0, 1.165, 0.0),
        finger_open=0.04,
        arm_force=87.0,
        finger_force=20.0,
        gain=0.06,
        base=(-0.12, 0.0, 0.0),
        mount=Mount("lbr_iiwa_link_7", z=0.045, yaw=np.pi),
        grid=0.02,  # its links are thicker and rounder than the Panda's
    ),
    "xarm6": RobotModel(
        urdf="xarm/xarm6_robot_white.urdf",
        arm=(1, 2, 3, 4, 5, 6),
        fingers=(8, 9),
        tool=10,
        home=(0.0, -0.829, -0.741, 0.0, 1.57, 0.0),
        finger_open=0.04,
        arm_force=32.0,
        finger_force=20.0,
        gain=0.06,
        base=(0.08, 0.0, 0.01),
        mount=Mount("link6", z=0.0, yaw=0.0),
    ),
}


class Robot:
    """A robot in one PyBullet world.

    Raises:
        CourseError: `name` is not in `ROBOTS`.
    """

    def __init__(self, client: int, name: str):
        one_of("robot", name, ROBOTS)
        self.client = client
        self.model = ROBOTS[name]
        self.body = pybullet.loadURDF(
            low_poly_urdf(self.model.urdf, self.model.mount, self.model.grid),
            basePosition=self.model.base,
            useFixedBase=True,
            physicsClientId=client,
        )
        limits = [
            pybullet.getJointInfo(self.body, j, physicsClientId=client)[8:10]
            for j in (*self.model.arm, *self.model.fingers)
        ]
        self.lower, self.upper = (np.array(side) for side in zip(*limits, strict=True))
        for finger in self.model.fingers:
            pybullet.changeDynamics(
                self.body, finger, lateralFriction=1.0, spinningFriction=0.02, physicsClientId=client
            )
        self.reset()

    def reset(self) -> None:
        """Put the arm at home with the gripper open, at rest."""
        angles = (*self.model.home, *(self.model.finger_open for _ in self.model.fingers))
        for joint, angle in zip((*self.model.arm, *self.model.fingers), angles, strict=True):
            pybullet.resetJointState(self.body, joint, angle, 0.0, physicsClientId=self.client)
        self.command_joints(np.array(self.model.home), gripper=1.0)

    def command_joints(self, angles: np.ndarray, gripper: float) -> None:
        """Set the motors' targets; the world moves when it is stepped.

        Args:
            angles: (n,) arm joint angles, radians.
            gripper: +1 open to -1 closed.
        """
        model = self.model
        pybullet.setJointMotorControlArray(
            self.body,
            model.arm,
            pybullet.POSITION_CONTROL,
            targetPositions=list(angles),
            forces=[model.arm_force] * len(model.arm),
            positionGains=[model.gain] * len(model.arm),
            physicsClientId=self.client,
        )
        self.command_gripper(gripper)

    def command_gripper(self, gripper: float) -> None:
        """Set the targets of the fingers' motors only: +1 open to -1 closed."""
        model = self.model
        width = model.finger_open * (np.clip(gripper, -1, 1) + 1) / 2
        pybullet.setJointMotorControlArray(
            self.body,
            model.fingers,
            pybullet.POSITION_CONTROL,
            targetPositions=[width] * len(model.fingers),
            forces=[model.finger_force] * len(model.fingers),
            physicsClientId=self.client,
        )

    def inverse_kinematics(self, position: np.ndarray, rpy: np.ndarray) -> np.ndarray:
        """Joint angles that bring the tool to a pose, within the joints' limits.

        The whole work area (x 0.30 to 0.62, y -0.25 to 0.25, z 0.01 to 0.35 m, pointing down, yaw up to a quarter
        turn) is reached within 3 mm.

        Args:
            position: (3,) metres.
            rpy: (3,) roll, pitch, yaw in radians; zeros point the gripper straight down.

        Returns:
            (n,) arm joint angles, radians.
        """
        n = len(self.model.arm)
        turn = pybullet.getQuaternionFromEuler(list(rpy))
        _, quaternion = pybullet.multiplyTransforms(HERE, turn, HERE, POINTING_DOWN)
        # From home, a pose has the same joint angles whatever came before. From where the arm is, one of seven
        # joints would drift until a joint is at its limit. The solver measures the error of the position only,
        # and before each step: asked for a turn in place it stops centimetres away. A second call mends that.
        # Given `currentPositions`, it counts from the base's center of mass instead of the world's origin.
        solution = [*self.model.home, *(self.model.finger_open for _ in self.model.fingers)]
        center = np.array(pybullet.getBasePositionAndOrientation(self.body, physicsClientId=self.client)[0])
        for _ in range(2):
            solution = pybullet.calculateInverseKinematics(
                self.body,
                self.model.tool,
                list(position - center),
                quaternion,
                maxNumIterations=300,
                residualThreshold=1e-4,
                currentPositions=solution,
                physicsClientId=self.client,
            )
        return np.clip(solution[:n], self.lower[:n], self.upper[:n])

    def tool_pose(self) -> tuple[np.ndarray, np.ndarray]:
        """Tool position (3,) in metres and quaternion (4,) x, y, z, w."""
        state = pybullet.getLinkState(
            self.body, self.model.tool, computeForwardKinematics=True, physicsClientId=self.client
        )
        return np.array(state[4]), np.array(state[5])

    def joint_positions(self) -> np.ndarray:
        """Arm joint angles (n,), radians."""
        states = pybullet.getJointStates(self.body, self.model.arm, physicsClientId=self.client)
        return np.array([s[0] for s in states], dtype=np.float32)

    def proprioception(self) -> np.ndarray:
        """What the robot feels of itself: (7,) float32.

        Tool x, y, z in metres; roll, pitch, yaw in radians from pointing straight down; gripper
        opening from -1 (closed) to +1 (open).
        """
        position, quaternion = self.tool_pose()
        _, turn = pybullet.multiplyTransforms(HERE, quaternion, HERE, pybullet.invertTransform(HERE, POINTING_DOWN)[1])
        rpy = pybullet.getEulerFromQuaternion(turn)
        states = pybullet.getJointStates(self.body, self.model.fingers, physicsClientId=self.client)
        opening = np.mean([s[0] for s in states]) / self.model.finger_open * 2 - 1
        return np.array([*position, *rpy, opening], dtype=np.float32)
