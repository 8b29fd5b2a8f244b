"""From poses to actions."""

import numpy as np
from scipy.spatial.transform import Rotation

from vla_course.sim.env import POSITION_STEP, ROTATION_STEP, TabletopEnv

AT_REST = 0.02  # of the largest step; less is the trembling of a hand


def toward(pose: np.ndarray, goal: np.ndarray, gripper: float) -> np.ndarray:
    """The action (7,) of mode "ee_delta" that leads from a pose to another, as far as one period allows.

    Where the way is too long for one action, all six numbers shrink together, so that its direction stays.

    Args:
        pose: (6,) where the tool is commanded to be (`env.commanded_pose`): x, y, z in metres, roll, pitch, yaw in rad.
        goal: (6,) where it shall be.
        gripper: +1 open, -1 closed.
    """
    turn = Rotation.from_euler("xyz", goal[3:6]) * Rotation.from_euler("xyz", pose[3:6]).inv()
    delta = np.concatenate([(goal[:3] - pose[:3]) / POSITION_STEP, turn.as_euler("xyz") / ROTATION_STEP])
    return np.append(delta / max(1.0, np.abs(delta).max()), gripper).astype(np.float32)


def is_at_rest(env: TabletopEnv, action: np.ndarray) -> bool:
    """Whether an action (7,) hardly moves the arm and leaves the gripper as it is, so that it is not worth sending."""
    return bool(np.abs(action[:6]).max() < AT_REST and action[6] == env.commanded_gripper)
