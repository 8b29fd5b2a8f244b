"""Sensors of the hand: an inertial measurement unit at the tool, force and torque at the wrist.

Both measure change, so each has `sample`, to be called after every physics step, and `read`, which takes the samples of
one control period and gives their mean, as real units filter theirs. See `vla_course.sim.sensors`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pybullet
from gymnasium import spaces
from scipy.spatial.transform import Rotation

from vla_course.sim.noise import Noise
from vla_course.sim.robots import Robot
from vla_course.sim.world import PHYSICS_HZ, World

UP = np.array([0.0, 0.0, 9.81])  # what an accelerometer at rest reads, m/s^2, robot base frame
SIX = spaces.Box(-np.inf, np.inf, (6,), np.float32)


@dataclass(frozen=True)
class Imu:
    """An inertial measurement unit at the tool, its axes those of the tool.

    Its reading is (6,): specific force x, y, z in m/s^2, then angular velocity x, y, z in rad/s. Specific force is
    acceleration minus gravity: at rest it reads 9.81 upward, in free fall 0.

    PyBullet gives no accelerations. Each is the change of the tool's velocity over one physics step: over a whole
    control period the tool turns by up to 0.25 rad, and the direction would be smeared.

    Attributes:
        accelerometer: noise of the specific force, m/s^2.
        gyroscope: noise of the angular velocity, rad/s.
    """

    accelerometer: Noise = Noise()
    gyroscope: Noise = Noise()

    def space(self, robot: Robot) -> spaces.Box:
        """(6,)."""
        return SIX

    def sample(self, world: World) -> tuple:
        """PyBullet's state of the tool link."""
        robot = world.robot
        return _link_states(robot, [robot.model.tool])[0]

    def read(self, world: World, rng: np.random.Generator, samples: Sequence) -> np.ndarray:
        """(6,) float32, the mean over the steps between the samples (at least two)."""
        center, origin, orientation, velocity, spin = columns(samples, (0, 4, 5, 6, 7))
        velocity = velocity + np.cross(spin, origin - center)  # PyBullet gives that of the center of mass
        acceleration = np.diff(velocity, axis=0) * PHYSICS_HZ
        to_tool = Rotation.from_quat(orientation[1:]).inv()
        force = to_tool.apply(acceleration + UP).mean(axis=0)
        rate = to_tool.apply(spin[1:]).mean(axis=0)
        return np.concatenate([self.accelerometer.add(force, rng), self.gyroscope.add(rate, rng)]).astype(np.float32)


@dataclass(frozen=True)
class Wrench:
    """A force and torque sensor between the arm's flange and the hand, its axes those of the tool.

    Its reading is (6,): force x, y, z in newtons, then torque about the flange's center x, y, z in newton metres, with
    which the hand and what it holds or touches load the arm. A hand at rest that points down reads its weight in +z; a
    held object adds its own; pressing on the table takes away. What is missing, because PyBullet does not report it, is
    the torque of fingertips that twist on a fixed surface: about 1 cm times the force with which they press.

    Newton and Euler's equations give it: the forces on the hand's links where they touch something, plus their weight,
    minus what their acceleration takes. PyBullet's own joint sensor (`enableJointForceTorqueSensor`) is not used: it
    misplaces the forces of sliding fingers, and a tilted hand at rest reads up to 0.11 N and 0.04 N m wrong.

    Attributes:
        force: noise, newtons.
        torque: noise, newton metres.
    """

    force: Noise = Noise()
    torque: Noise = Noise()

    def space(self, robot: Robot) -> spaces.Box:
        """(6,)."""
        return SIX

    def sample(self, world: World) -> tuple:
        """PyBullet's states of the hand's links, all contacts, and the centers of the free bodies it touches."""
        # All contacts: asked for one body's, PyBullet turns the normals toward it, but not the directions of friction.
        contacts = pybullet.getContactPoints(physicsClientId=world.client)
        robot, hand = world.robot.body, _hand(world.robot)
        touched = {c[2] for c in contacts if c[1] == robot and c[3] >= hand[0]}
        touched |= {c[1] for c in contacts if c[2] == robot and c[4] >= hand[0]}
        centers = {body: _center(world.client, body) for body in touched if _is_free(world.client, body)}
        return _link_states(world.robot, hand), contacts, centers

    def read(self, world: World, rng: np.random.Generator, samples: Sequence) -> np.ndarray:
        """(6,) float32, the mean over the steps between the samples (at least two)."""
        robot, hand = world.robot, _hand(world.robot)
        # Time first, then the links: (T + 1, n, 3 or 4).
        center, axes, origin, orientation, velocity, spin = (
            np.reshape(column, (len(samples), len(hand), -1))
            for column in columns([state for states, *_ in samples for state in states], (0, 1, 4, 5, 6, 7))
        )
        mass, moments = _inertias(robot, hand)
        flange = origin[:, 0]
        pull = -mass * (np.diff(velocity, axis=0) * PHYSICS_HZ + UP)  # (T, n, 3)
        twist = -np.diff(_angular_momentum(axes, moments, spin), axis=0) * PHYSICS_HZ
        force = pull.sum(axis=1)
        torque = (np.cross(center[1:] - flange[1:, None], pull) + twist).sum(axis=1)
        if pushes := _pushes(samples[1:], flange[1:], robot.body, hand[0]):
            step, arm, push, on_hand = columns(pushes, range(4))
            np.add.at(force, step[on_hand], push[on_hand])
            np.add.at(torque, step, np.cross(arm, push))

        to_tool = Rotation.from_quat(orientation[1:, hand.index(robot.model.tool)]).inv()
        force, torque = to_tool.apply(force).mean(axis=0), to_tool.apply(torque).mean(axis=0)
        return np.concatenate([self.force.add(force, rng), self.torque.add(torque, rng)]).astype(np.float32)


def _link_states(robot: Robot, links: list[int]) -> tuple:
    return pybullet.getLinkStates(
        robot.body, links, computeLinkVelocity=True, computeForwardKinematics=True, physicsClientId=robot.client
    )


def columns(rows: Sequence, indices: Sequence[int]) -> list[np.ndarray]:
    """Single entries of PyBullet's tuples, each stacked over the rows."""
    return [np.array([row[i] for row in rows]) for i in indices]


def _hand(robot: Robot) -> list[int]:
    """The links after the arm's last one, the one at the flange first."""
    return list(range(robot.model.arm[-1] + 1, pybullet.getNumJoints(robot.body, physicsClientId=robot.client)))


def _inertias(robot: Robot, links: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Masses (n, 1) in kg, and moments of inertia about each link's principal axes (n, 3) in kg m^2."""
    about = [pybullet.getDynamicsInfo(robot.body, link, physicsClientId=robot.client) for link in links]
    mass, moments = columns(about, (0, 2))
    return mass[:, None], moments


def _angular_momentum(axes: np.ndarray, moments: np.ndarray, spin: np.ndarray) -> np.ndarray:
    """About each link's center of mass, (T, n, 3) kg m^2/s, from principal axes (T, n, 4) as quaternions."""
    turn = Rotation.from_quat(axes.reshape(-1, 4))
    along = turn.inv().apply(spin.reshape(-1, 3)) * np.tile(moments, (len(spin), 1))
    return turn.apply(along).reshape(spin.shape)


def _is_free(client: int, body: int) -> bool:
    """Whether it is one rigid body that moves."""
    joints = pybullet.getNumJoints(body, physicsClientId=client)
    return joints == 0 and pybullet.getDynamicsInfo(body, -1, physicsClientId=client)[0] > 0


def _center(client: int, body: int) -> np.ndarray:
    return np.array(pybullet.getBasePositionAndOrientation(body, physicsClientId=client)[0])


def _pushes(samples: Sequence, flange: np.ndarray, robot: int, first_link: int) -> list[tuple]:
    """What the contacts of each step do to the hand: (step, lever arm in metres, force in newtons, on the hand itself).

    Two fingers keep an object from turning about the line between them, by a torque that PyBullet does not report. But
    the torques about the object's center balance (what it takes to spin up something so light is neglected). So a push
    between hand and object acts as if at that center, and other pushes on the object add their torque about it.
    """
    rows = [(k, contact, centers) for k, (_, contacts, centers) in enumerate(samples) for contact in contacts]
    normal, size, size_1, along_1, size_2, along_2 = columns([c for _, c, _ in rows], (7, 9, 10, 11, 12, 13))
    on_a = size[:, None] * normal + size_1[:, None] * along_1 + size_2[:, None] * along_2
    pushes = []
    for (k, contact, centers), push in zip(rows, on_a, strict=True):
        _, a, b, link_a, link_b, point_a, point_b, *_ = contact
        hand_a, hand_b = (body == robot and link >= first_link for body, link in ((a, link_a), (b, link_b)))
        for body, other, point, force, is_hand, other_is_hand in (
            (a, b, point_a, push, hand_a, hand_b),
            (b, a, point_b, -push, hand_b, hand_a),
        ):
            if is_hand:
                pushes.append((k, centers.get(other, point) - flange[k], force, True))
            elif body in centers and not other_is_hand:
                pushes.append((k, point - centers[body], force, False))
    return pushes
