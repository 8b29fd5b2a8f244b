"""Writing down an episode while it happens, whoever moves the robot."""

from collections.abc import Mapping

import numpy as np

from vla_course.data.episodes import Episode
from vla_course.sim.env import TabletopEnv

# For how many other objects of the scene an episode notes how the sentence would name them, and where
# they are. Pointing at them is an exercise that costs no further demonstration.
POINTING = 3

POSE = {"names": ["x", "y", "z", "roll", "pitch", "yaw", "gripper"],
        "units": ["m", "m", "m", "rad", "rad", "rad", "+1 open, -1 closed"]}  # fmt: skip
STEP = {"names": ["dx", "dy", "dz", "droll", "dpitch", "dyaw", "gripper"],
        "units": ["5 cm"] * 3 + ["0.25 rad"] * 3 + ["+1 open, -1 closed"]}  # fmt: skip


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
    both = {"action": action} if env.action_mode == "waypoint" else {"action": action, "executed": action}
    return {
        **{name: {"dtype": "float32", "shape": [len(what["names"])], **what} for name, what in both.items()},
        "state": {"dtype": "float32", "shape": [7], **POSE},
        "joints": {"dtype": "float32", "shape": [n], "names": joints, "units": ["rad"] * n},
        "reward": {"dtype": "float32", "shape": [], "names": ["reward"], "units": ["1"]},
        "timestamp": {"dtype": "float32", "shape": [], "names": ["timestamp"], "units": ["s"]},
        "target_pixel": {"dtype": "float32", "shape": [2], "names": ["u", "v"], "units": ["of width", "of height"]},
        "pointing_pixels": {
            "dtype": "float32",
            "shape": [POINTING, 2],
            "names": [[f"u_{i}", f"v_{i}"] for i in range(POINTING)],
            "units": [["of width", "of height"]] * POINTING,
        },
        **(_followed_features() if env.action_mode != "waypoint" else {}),
        **_sensor_features(env, joints),
    }


def _followed_features() -> dict[str, dict]:
    """Where the objects are that the instruction names: its target, and what it is put on or next to.

    Only where every step is a look, since these change then. Without a reference the target takes its place.
    """
    picture, place = ["of width", "of height"], ["m", "m", "m"]
    both = ("target", "reference")
    return {
        "reference_pixel": {"dtype": "float32", "shape": [2], "names": ["u", "v"], "units": picture},
        "wrist_pixels": {
            "dtype": "float32",
            "shape": [2, 2],
            "names": [[f"{name}_u", f"{name}_v"] for name in both],
            "units": [picture] * 2,
        },
        "relative_positions": {
            "dtype": "float32",
            "shape": [2, 3],
            "names": [[f"{name}_{axis}" for axis in ("x", "y", "z")] for name in both],
            "units": [place] * 2,
        },
    }


def _sensor_features(env: TabletopEnv, joints: list[str]) -> dict[str, dict]:
    """The same of what the environment's sensors read."""
    spaces, n = env.sensors.spaces, len(joints)
    rings, rays = spaces["lidar"].shape if "lidar" in spaces else (0, 0)
    axes = ("x", "y", "z")
    named = {
        "lidar": ([[f"ring_{ring}_ray_{ray}" for ray in range(rays)] for ring in range(rings)], [["m"] * rays] * rings),
        "imu": ([f"{of}_{axis}" for of in ("force", "rate") for axis in axes], ["m/s^2"] * 3 + ["rad/s"] * 3),
        "wrench": ([f"{of}_{axis}" for of in ("force", "torque") for axis in axes], ["N"] * 3 + ["N m"] * 3),
        "joint_state": (
            [[f"{of}_{joint}" for joint in joints] for of in ("position", "velocity", "torque")],
            [["rad"] * n, ["rad/s"] * n, ["N m"] * n],
        ),
    }
    return {
        name: {"dtype": "float32", "shape": list(space.shape), "names": named[name][0], "units": named[name][1]}
        for name, space in spaces.items()
    }


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
            "target_pixel": self.info["pixels"][self.scene.target],
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
        target, reference = self.scene.target, self.scene.reference
        both = [target, target if reference is None else reference]
        places, wrist = np.stack([self.env.world.position(i) for i in both]), self.env.world.view("wrist")
        return {
            "reference_pixel": self.info["pixels"][both[1]],
            "wrist_pixels": np.stack([wrist.project(place) for place in places]),
            "relative_positions": places - self.observation["state"][:3],
        }

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
            "pointing": [self.scene.instruction(target=i) for i in self._others],
            **(labels or {}),
        }
        steps = {name: np.array(rows, dtype=np.float32) for name, rows in self._steps.items()}
        return Episode(metadata, self.scene.instruction(), steps, self._frames)
