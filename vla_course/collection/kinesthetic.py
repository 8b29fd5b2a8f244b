"""Kinesthetic teaching: take the arm by the hand and show it the way.

It has two halves, as in the field. First the arm gives way while it is led, and joint sensors write down where it went.
Then the scene is set up again and the robot does the same alone, and that is what the cameras record: in the picture
must be no human hand that will not be there when a policy acts. What comes out are ordinary "ee_delta" actions, which
replay open loop.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vla_course.collection.devices import Command
from vla_course.collection.poses import is_at_rest, toward
from vla_course.errors import CourseError
from vla_course.sim.compliance import CompliantArm, orientation
from vla_course.sim.env import GRIPPER_TICKS, TabletopEnv
from vla_course.sim.world import CONTROL_HZ, World

LONGEST = 60 * CONTROL_HZ  # control periods of one demonstration

# Pushes or leads the arm for the next control period, given the seconds since the start; returns what the gripper shall
# do (+1 open, -1 closed), or None at the end.
Guide = Callable[[CompliantArm, float], float | None]


@dataclass(frozen=True)
class Taught:
    """Where a led arm went.

    Attributes:
        poses: (T, 6) the tool at the end of each control period: x, y, z in metres, roll, pitch, yaw in radians.
        gripper: (T,) +1 open, -1 closed.
    """

    poses: np.ndarray
    gripper: np.ndarray


def teach(world: World, guide: Guide) -> Taught:
    """Let the arm give way while `guide` leads it.

    Args:
        world: at the start of a scene.
        guide: the person's hand.

    Raises:
        CourseError: the guide ends at once, or not within a minute.
    """
    arm, poses, gripper = CompliantArm(world), [], []
    try:
        while (grip := guide(arm, len(poses) / CONTROL_HZ)) is not None:
            if len(poses) == LONGEST:
                raise CourseError("the guide led the arm for 60 s without an end; it returns None when it is done")
            world.robot.command_gripper(grip)
            world.tick()
            poses.append(world.robot.proprioception()[:6])
            gripper.append(grip)
    finally:
        arm.release()
    if not poses:
        raise CourseError("the guide ended before the arm moved; it returns +1 or -1 for the gripper while it leads")
    return Taught(np.array(poses, dtype=np.float64), np.array(gripper))


class Kinesthetic:
    """Teaches in a copy of the scene, then gives the commands that do the same.

    Args:
        env: where it will be recorded.
        guide: makes the guide for a scene, given the copy of the world that it leads the arm in.
    """

    name = "kinesthetic"
    keys = "the arm is led; Ctrl-C stops"

    def __init__(self, env: TabletopEnv, guide: Callable[[World], Guide]):
        self.env, self._guide = env, guide
        self._copy = World(env.world.robot_name)

    def reset(self) -> None:
        """Teach the episode that has just begun."""
        self._copy.reset(self.env.world.scene)
        self._taught, self._done = teach(self._copy, self._guide(self._copy)), 0

    def read(self) -> Command:
        """The step to the next pose that was taught; those that hardly move are left out."""
        while self._done < len(self._taught.poses):
            pose, gripper = self._taught.poses[self._done], self._taught.gripper[self._done]
            self._done += 1
            action = toward(self.env.commanded_pose, pose, gripper)
            if not is_at_rest(self.env, action):
                return Command(action)
        return Command(event="finish")

    def close(self) -> None:
        """Free the copy's physics server."""
        self._copy.close()


def along(path: np.ndarray) -> Guide:
    """A hand that leads the arm along a stream of poses, one for each control period.

    Args:
        path: (T, 7) waypoints: x, y, z in metres, roll, pitch, yaw in radians, gripper.
    """

    def guide(arm: CompliantArm, seconds: float) -> float | None:
        row = round(seconds * CONTROL_HZ)
        if row >= len(path):
            return None
        arm.lead(path[row, :3], orientation(path[row, 3:6]))
        return float(np.sign(path[row, 6]))

    return guide


def path_through(start: np.ndarray, waypoints: np.ndarray, speed: float = 0.2, turning: float = 1.0) -> np.ndarray:
    """Straight lines through waypoints, a pose for each control period; waits wherever the gripper opens or closes.

    Args:
        start: (7,) where it begins, such as `robot.proprioception()`.
        waypoints: (n, 7), such as the expert's plan; the gripper is set on arrival.
        speed, turning: metres and radians in a second, at most.

    Returns:
        (T, 7).
    """
    rows, here = [], np.append(start[:6], np.sign(start[6])).astype(np.float64)
    for goal in np.asarray(waypoints, dtype=np.float64):
        way = goal[:6] - here[:6]
        seconds = max(np.linalg.norm(way[:3]) / speed, np.abs(way[3:]).max() / turning)
        count = max(1, int(np.ceil(seconds * CONTROL_HZ)))
        rows += [np.append(here[:6] + way * k / count, here[6]) for k in range(1, count + 1)]
        waits = 2 * GRIPPER_TICKS if np.sign(goal[6]) != here[6] else 0
        here = np.append(goal[:6], np.sign(goal[6]))
        rows += [here] * waits
    return np.array(rows)
