"""Writing down an episode while it happens, whoever moves the robot."""

from collections.abc import Mapping

import numpy as np

from vla_course.data.episodes import Episode
from vla_course.sim.env import TabletopEnv
from vla_course.sim.tasks import get_task

# For how many other objects of the scene an episode notes how the sentence would name them, and where
# they are. Pointing at them is an exercise that costs no further demonstration.
POINTING = 3

POSE = {"names": ["x", "y", "z", "roll", "pitch", "yaw", "gripper"],
        "units": ["m", "m", "m", "rad", "rad", "rad", "+1 open, -1 closed"]}  # fmt: skip
STEP = {"names": ["dx", "dy", "dz", "droll", "dpitch", "dyaw", "gripper"],
        "units": ["5 cm"] * 3 + ["0.25 rad"] * 3 + ["+1 open, -1 closed"]}  # fmt: skip
PIXEL = ["of width", "of height"]  # units of a point in a picture


def features(env: TabletopEnv) -> dict[str, dict]:
    """What an episode of this environment holds for each step: dtype, shape, names and units of each feature."""
    n = len(env.world.robot.model.arm)
    joints = [f"joint_{i}" for i in range(n)]
    action = {
        "waypoint": POSE,
        "ee_delta": STEP,
        "joint_delta": {"names": [*joints, "gripper"], "units": ["0.15 rad"] * n + ["+1 open, -1 closed"]},
        "joint_position": {"names": [*joints, "gripper"], "units": ["rad"] * n + ["+1 open, -1 closed"]},
    }[env.action_mode]
    closed_loop = env.action_mode != "waypoint"
    return {
        "action": _feature(**action),
        **({"executed": _feature(**action)} if closed_loop else {}),
        "state": _feature(**POSE),
        "joints": _feature(joints, ["rad"] * n),
        "reward": {**_feature(["reward"], ["1"]), "shape": []},
        "timestamp": {**_feature(["timestamp"], ["s"]), "shape": []},
        "target_pixel": _feature(["u", "v"], PIXEL),
        "pointing_pixels": _feature([[f"u_{i}", f"v_{i}"] for i in range(POINTING)], [PIXEL] * POINTING),
        **(_followed_features() if closed_loop else {}),
        **_sensor_features(env, joints),
    }


def _feature(names: list, units: list) -> dict:
    """Of as many numbers as there are names."""
    return {"dtype": "float32", "shape": list(np.shape(names)), "names": names, "units": units}


def _followed_features() -> dict[str, dict]:
    """Where the objects are that the instruction names: its target, and what it is put on or next to.

    Only where every step is a look, since these change then. Without a reference the target takes its place.
    """
    both = ("target", "reference")
    return {
        "reference_pixel": _feature(["u", "v"], PIXEL),
        "wrist_pixels": _feature([[f"{name}_u", f"{name}_v"] for name in both], [PIXEL] * 2),
        "relative_positions": _feature([[f"{name}_{axis}" for axis in "xyz"] for name in both], [["m"] * 3] * 2),
    }


def _sensor_features(env: TabletopEnv, joints: list[str]) -> dict[str, dict]:
    """The same of what the environment's sensors read."""
    spaces, n = env.sensors.spaces, len(joints)
    rings, rays = spaces["lidar"].shape if "lidar" in spaces else (0, 0)
    named = {
        "lidar": ([[f"ring_{ring}_ray_{ray}" for ray in range(rays)] for ring in range(rings)], [["m"] * rays] * rings),
        "imu": ([f"{of}_{axis}" for of in ("force", "rate") for axis in "xyz"], ["m/s^2"] * 3 + ["rad/s"] * 3),
        "wrench": ([f"{of}_{axis}" for of in ("force", "torque") for axis in "xyz"], ["N"] * 3 + ["N m"] * 3),
        "joint_state": (
            [[f"{of}_{joint}" for joint in joints] for of in ("position", "velocity", "torque")],
            [["rad"] * n, ["rad/s"] * n, ["N m"] * n],
        ),
    }
    return {name: _feature(*named[name]) for name in spaces}


class Recorder:
    """An environment that remembers.

    Each step holds what was seen before its action (pictures, state, sensors) and the action. Where the environment is
    not in mode "waypoint" there are two: `action`, which a policy shall learn, and `executed`, which the robot was
    sent.

    Args:
        env: where it happens.
    """

    def __init__(self, env: TabletopEnv):
        self.env = env
        self._names = list(features(env))
        self._pictures = [name for name in env.observation_space.spaces if name.startswith(env.cameras)]

    def reset(self, seed: int) -> dict:
        """Start the episode that `seed` names.

        Returns:
            The first observation.
        """
        self.seed = seed
        self.observation, self.info = self.env.reset(seed=seed)
        self.scene = self.env.world.scene
        others = [i for i in range(len(self.scene.objects)) if i not in (self.scene.target, self.scene.reference)]
        # A scene with few objects repeats the target.
        self._others = (others + [self.scene.target] * POINTING)[:POINTING]
        self._steps: dict[str, list] = {name: [] for name in self._names}
        self._frames: dict[str, list] = {name: [] for name in self._pictures}
        return self.observation

    def step(self, action: np.ndarray, executed: np.ndarray | None = None) -> bool:
        """Carry out an action and write down what it was an answer to.

        Args:
            action: what a policy shall learn to do here.
            executed: what is done, where that is something else.

        Returns:
            Whether the episode is over.
        """
        executed = action if executed is None else executed
        row = {
            "action": action,
            "executed": executed,
            "state": self.observation["state"],
            "joints": self.observation["joints"],
            "timestamp": self.info["seconds"],
            "target_pixel": self.info["pixels"][self.env.task.focus(self.env.world)[0]],
            "pointing_pixels": self.info["pixels"][self._others],
            **{name: self.observation[name] for name in self.env.sensors.spaces},
        }
        if "relative_positions" in self._steps:
            row |= self._followed()
        for name in self._pictures:
            self._frames[name].append(self.observation[name])
        self.observation, row["reward"], terminated, truncated, self.info = self.env.step(executed)
        for name in self._names:
            self._steps[name].append(row[name])
        return terminated or truncated

    def _followed(self) -> dict[str, np.ndarray]:
        both = list(self.env.task.focus(self.env.world))
        places, wrist = np.stack([self.env.world.position(i) for i in both]), self.env.world.view("wrist")
        return {
            "reference_pixel": self.info["pixels"][both[1]],
            "wrist_pixels": np.stack([wrist.project(place) for place in places]),
            "relative_positions": places - self.observation["state"][:3],
        }

    def _pointing(self) -> str:
        """A template that names an object."""
        own = self.scene.phrasing
        return own if "{target}" in own else get_task("pick").phrasings[0]

    def episode(self, labels: Mapping[str, object] | None = None) -> Episode:
        """What was recorded since the reset.

        Args:
            labels: more for its metadata, such as who moved the robot.
        """
        metadata = {
            "task": self.env.task.name,
            "seed": self.seed,
            "robot": self.env.world.robot_name,
            "action_mode": self.env.action_mode,
            "variety": self.env.variety,
            "success": self.info["success"],
            "goal_conditions": self.info["goal_conditions"],
            "pointing": [self.scene.instruction(self._pointing(), target=i) for i in self._others],
            **(labels or {}),
        }
        steps = {name: np.array(rows, dtype=np.float32) for name, rows in self._steps.items()}
        return Episode(metadata, self.scene.instruction(), steps, self._frames)
