"""The scripted expert at 10 Hz: it looks at every step, so it can start from anywhere and make good what went wrong."""

import numpy as np
from scipy.spatial.transform import Rotation

from vla_course.sim.env import POSITION_STEP, ROTATION_STEP, TabletopEnv

SPEED = 0.8  # of the largest action, so that there is room to correct
NEAR, STRAIGHT = 0.010, 0.06  # metres and radians from a waypoint at which it counts as reached
PASSING, TURNING = 0.020, 0.15  # likewise, where the gripper stays as it is: no need to stop there
GRIPPER_WAIT = 2  # control periods that the gripper is given; it has closed after one
PATIENCE = 12  # control periods without getting nearer, after which the waypoint is given up
SENT = 0.05  # share of a step that is left when the command is there
CLEAR = 0.13  # metres above the table, where the hand meets nothing
EMPTY = -0.95  # opening of a gripper that has closed on nothing


class ClosedLoopExpert:
    """Follows the waypoints of a task's expert with "ee_delta" actions, and plans anew when it must.

    It stops only where the gripper opens or closes: frames in which nothing happens teach a policy to wait. Where
    nothing is grasped, the hand closes on its way.

    It plans anew when its plan is carried out and the task is not done, when the hand has closed on nothing or has lost
    what it held, and when it is stuck.

    Args:
        env: in mode "ee_delta". The expert knows the true state of its world.

    Attributes:
        recoveries: how often it lost what it held and planned anew.
    """

    def __init__(self, env: TabletopEnv):
        self.env = env
        self.reset()

    def reset(self) -> None:
        """Forget the plan; call after `env.reset`."""
        self._plan: list[np.ndarray] = []
        self._waited, self._best, self._since = 0, np.inf, 0
        self._holds = False
        self.recoveries = 0

    def act(self) -> np.ndarray:
        """The action (7,) from the state of the world now."""
        if (lost := self._lost()) or not self._plan:
            self.recoveries += int(lost)
            self._plan = self._from_above(list(self.env.expert_waypoints()))
            self._holds = False
            self._next()
        pose, gripper, grasps = self.env.commanded_pose, self.env.commanded_gripper, self.env.task.grasps
        while len(self._plan) > 1 and self._plan[0][6] == (gripper if grasps else self._plan[1][6]):
            away, turn = self._to_go()
            if away > PASSING or turn.magnitude() > TURNING:
                break
            self._pop()
        goal = self._plan[0]
        away, turn = self._to_go()
        delta = np.concatenate([(goal[:3] - pose[:3]) / POSITION_STEP, turn.as_euler("xyz") / ROTATION_STEP])
        still = grasps and (self._holds or goal[6] < 0)  # an empty hand opens on its way
        action = np.append(delta * min(1.0, SPEED / max(np.abs(delta).max(), 1e-9)), gripper if still else goal[6])
        self._since = 0 if away < self._best - 0.001 else self._since + 1
        self._best = min(self._best, away)
        reached = away < NEAR and turn.magnitude() < STRAIGHT
        stopped = self._since > 0 and np.abs(delta).max() < SENT  # such as by the end of the drawer's way
        if reached or stopped or self._since > PATIENCE:
            action[6] = np.sign(goal[6])
            self._waited += 1
            if self._waited > GRIPPER_WAIT or (self._waited == 1 and action[6] == gripper):
                self._pop()
        return action.astype(np.float32)

    def _to_go(self) -> tuple[float, Rotation]:
        """Metres and turn to the next waypoint."""
        goal = self._plan[0]
        turn = Rotation.from_euler("xyz", goal[3:6]) * Rotation.from_euler("xyz", self.env.commanded_pose[3:]).inv()
        return float(np.linalg.norm(goal[:3] - self.env.world.robot.tool_pose()[0])), turn

    def _pop(self) -> None:
        """Go on to the next waypoint."""
        self._holds = self.env.task.grasps and self._plan[0][6] < 0
        self._plan.pop(0)
        self._next()

    def _from_above(self, plan: list[np.ndarray]) -> list[np.ndarray]:
        """A plan that begins straight upward where the hand is low, so that it knocks nothing over on its way."""
        pose = self.env.commanded_pose
        rise = np.array([*pose[:2], CLEAR, *pose[3:], plan[0][6]])
        return [rise, *plan] if pose[2] < CLEAR - NEAR else plan

    def _next(self) -> None:
        self._waited, self._best, self._since = 0, np.inf, 0

    def _lost(self) -> bool:
        """Whether the hand should hold something and does not: it closed on nothing, or was opened on its way."""
        opened = self.env.commanded_gripper > 0 and not self._waited
        return self._holds and (opened or self.env.world.robot.proprioception()[6] < EMPTY)
