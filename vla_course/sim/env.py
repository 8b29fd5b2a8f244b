"""The tabletop as a Gymnasium environment."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from scipy.spatial.transform import Rotation

from vla_course.errors import CourseError, one_of
from vla_course.sim.cameras import CAMERAS, SPECTATOR, render
from vla_course.sim.noise import noisy_depth, noisy_rgb
from vla_course.sim.sensors import NOISY_SENSORS, SENSORS, Sensors
from vla_course.sim.tasks import WAYPOINTS, get_task
from vla_course.sim.variety import check_variety, draw_scene
from vla_course.sim.world import CONTROL_HZ, World

POSITION_STEP = 0.05  # metres the tool moves in one control period at an action of 1
ROTATION_STEP = 0.25  # radians, likewise
JOINT_STEP = 0.15  # radians, likewise
REACH = np.array([[0.25, 0.72], [-0.32, 0.32], [0.015, 0.50]])  # x, y, z the tool may be sent to
SETTLE_DISTANCE = 0.004  # metres from a waypoint at which it counts as reached
SETTLE_TICKS = 5
GRIPPER_TICKS = 3  # control periods the gripper takes to open or close

ACTION_MODES = ("ee_delta", "waypoint", "joint_delta", "joint_position")
MODALITIES = ("rgb", "depth", "segmentation")
TICKS = 80  # control periods for a plan of `WAYPOINTS` waypoints, before the episode is truncated
LETTERS = "abcdefghijklmnopqrstuvwxyz '-,.?"


class TabletopEnv(gymnasium.Env):
    """A robot arm, some objects, and an instruction. `gymnasium.make("vla_course/Tabletop-v0")`.

    Args:
        task: a key of `vla_course.sim.tasks.TASKS`.
        robot: a key of `vla_course.sim.robots.ROBOTS`.
        action_mode: what an action means, see below.
        cameras: which cameras are observed, of "front", "wrist" and "overhead".
        modalities: what they record, of "rgb", "depth" and "segmentation".
        image_size: height and width of the pictures, pixels.
        sensors: what else is observed, of "lidar", "imu", "wrench" and "joint_state"; see `vla_course.sim.sensors`.
        noise: whether cameras and sensors err as real ones do. It changes what is seen and never what happens.
        variety: what differs from scene to scene: axis of `vla_course.sim.variety.AXES` to "seen" or "unseen".

    Observation (a dict):
        `<camera>`: (H, W, 3) uint8 RGB.
        `<camera>_depth`: (H, W) float32 metres, if asked for.
        `<camera>_segmentation`: (H, W) int32 body ids, if asked for.
        `state`: (7,) float32: tool x, y, z (m), roll, pitch, yaw (rad; zero is pointing straight
            down), gripper opening (-1 closed to +1 open).
        `joints`: (n,) float32 arm joint angles, rad.
        `<sensor>`: float32, if asked for: "lidar" (1, 121) metres; "imu" (6,) m/s^2 and rad/s; "wrench" (6,) N and
            N m; "joint_state" (3, n) rad, rad/s and N m.
        `instruction`: str.

    Action, float32, by `action_mode`. The last number is the gripper: above 0 open, else closed.
        "ee_delta": (7,) in [-1, 1]: dx, dy, dz of 5 cm and droll, dpitch, dyaw of 0.25 rad per
            control period (10 Hz), in the robot base frame.
        "waypoint": (7,) absolute x, y, z (m), roll, pitch, yaw (rad), gripper. The robot goes there
            in a straight line at up to 0.5 m/s with the gripper as it is, then sets the gripper;
            one step takes as many control periods as that needs.
        "joint_delta": (n + 1,) in [-1, 1] of 0.15 rad per control period.
        "joint_position": (n + 1,) absolute joint angles, rad.

    Reward: 1 when the task is done, else 0. The episode terminates then, and is truncated after
    `max_steps` steps: as many as the expert's plan has waypoints, or 16 control periods for each of these.

    Info: `success` (bool), `goal_conditions` (name to bool), `grip_force` and `table_force` (newtons,
    now: fingers on the target, robot on the table), `seconds` (simulated), `pixels` ((n, 2) u and v of
    each object in the front picture, 0 to 1). The last is for training, not for policies.

    The same seed gives the same episode, bit for bit.

    In `AsyncVectorEnv`, pass `shared_memory=False`: Gymnasium's shared memory does not carry sentences, every
    instruction would read "aaaa".

    Raises:
        CourseError: an unknown task, robot, mode, camera, modality, sensor, axis or setting; an action of the wrong
            shape or with NaN in it.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": CONTROL_HZ}

    def __init__(
        self,
        task: str = "pick",
        robot: str = "panda",
        action_mode: str = "ee_delta",
        cameras: Sequence[str] = ("front", "wrist"),
        modalities: Sequence[str] = ("rgb",),
        image_size: int = 64,
        sensors: Sequence[str] = (),
        noise: bool = False,
        variety: Mapping[str, str] | None = None,
        render_mode: str | None = None,
    ):
        one_of("action mode", action_mode, ACTION_MODES)
        for camera in cameras:
            one_of("camera", camera, CAMERAS)
        for modality in modalities:
            one_of("modality", modality, MODALITIES)
        for sensor in sensors:
            one_of("sensor", sensor, SENSORS)
        if image_size < 1:
            raise CourseError(f"image_size={image_size}; give 1 pixel or more")
        self.task = get_task(task)
        self.action_mode = action_mode
        self.max_steps = self.task.waypoints * (1 if action_mode == "waypoint" else TICKS // WAYPOINTS)
        self.variety = dict(variety or {})
        check_variety(self.variety)
        self.cameras, self.modalities = tuple(cameras), tuple(modalities)
        self.image_size = image_size
        self.render_mode = render_mode
        self.world = World(robot)
        self.noise, chosen = noise, NOISY_SENSORS if noise else SENSORS
        self.sensors = Sensors(self.world, {sensor: chosen[sensor] for sensor in sensors})
        self.world.after_step.append(self.sensors.after_step)
        joints = len(self.world.robot.model.arm)
        self.observation_space = self._observation_space(joints)
        self.action_space = self._action_space(joints)

    def _observation_space(self, joints: int) -> spaces.Dict:
        size = self.image_size
        boxes = {
            "rgb": ("", spaces.Box(0, 255, (size, size, 3), np.uint8)),
            "depth": ("_depth", spaces.Box(0.0, np.inf, (size, size), np.float32)),
            "segmentation": ("_segmentation", spaces.Box(-1, 2**20, (size, size), np.int32)),
        }
        pictures = {
            camera + boxes[modality][0]: boxes[modality][1] for camera in self.cameras for modality in self.modalities
        }
        return spaces.Dict(
            {
                **pictures,
                **self.sensors.spaces,
                "state": spaces.Box(-np.inf, np.inf, (7,), np.float32),
                "joints": spaces.Box(-np.inf, np.inf, (joints,), np.float32),
                "instruction": spaces.Text(max_length=120, charset=LETTERS),
            }
        )

    def _action_space(self, joints: int) -> spaces.Box:
        robot = self.world.robot
        low, high = -np.ones(joints + 1), np.ones(joints + 1)
        if self.action_mode == "ee_delta":
            low, high = -np.ones(7), np.ones(7)
        elif self.action_mode == "waypoint":
            low = np.array([*REACH[:, 0], -np.pi, -np.pi, -np.pi, -1])
            high = np.array([*REACH[:, 1], np.pi, np.pi, np.pi, 1])
        elif self.action_mode == "joint_position":
            low, high = np.append(robot.lower[:joints], -1), np.append(robot.upper[:joints], 1)
        return spaces.Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        """Start the episode that `seed` names; with `options={"scene": ...}`, in that scene."""
        super().reset(seed=seed)
        self.world.reset((options or {}).get("scene") or draw_scene(self.task, self.np_random, self.variety))
        self.sensors.reset()
        self._errors = self.np_random.spawn(1)[0]  # the random stream of noise is not that of scenes
        self._steps, self._over = 0, False
        self._ticks = 0
        self.commanded_pose = self.world.robot.proprioception()[:6].astype(np.float64)  # the commanded tool pose
        self.commanded_gripper = 1.0
        return self._observe(), self._info()

    def step(self, action: np.ndarray) -> tuple[dict, float, bool, bool, dict]:
        """Carry out one action. See the class for what it means."""
        action = np.asarray(action, dtype=np.float64)
        if action.shape != self.action_space.shape:
            raise CourseError(
                f"action has shape {action.shape}; mode {self.action_mode!r} takes {self.action_space.shape}"
            )
        if not np.isfinite(action).all():
            raise CourseError(f"action {action.tolist()} is not finite; check the policy's output and loss")
        action = np.clip(action, self.action_space.low, self.action_space.high)
        gripper = 1.0 if action[-1] > 0 else -1.0
        if self.action_mode == "ee_delta":
            self.commanded_gripper = gripper
            self._move(self._shift(action[:6]))
        elif self.action_mode == "waypoint":
            self._go_to(action[:6], gripper)
        else:
            angles = action[:-1]
            if self.action_mode == "joint_delta":
                angles = self.world.robot.joint_positions() + JOINT_STEP * angles
            self.world.robot.command_joints(angles, gripper)
            self._tick()
        self._steps += 1
        info = self._info()
        truncated = self._steps >= self.max_steps and not info["success"]
        self._over = truncated or info["success"]
        return self._observe(), float(info["success"]), info["success"], truncated, info

    def expert_waypoints(self) -> np.ndarray:
        """The scripted expert's plan from here: (n, 7), for mode "waypoint"; see `Task.expert`."""
        return self.task.expert(self.world)

    def expert_actions(self) -> Iterator[np.ndarray]:
        """Actions (7,) of the scripted expert for mode "waypoint", to be taken one by one until the episode ends.

        The expert plans, carries its plan out, looks again, and plans what is left.
        """
        while not self._over:
            for action in self.expert_waypoints():
                yield action
                if self._over:
                    return

    def render(self) -> np.ndarray:
        """What a person sees who stands by the front camera: (256, 256, 3) uint8."""
        return render(self.world.client, SPECTATOR, 256).rgb

    def close(self) -> None:
        """Free the physics server."""
        self.world.close()

    def _shift(self, delta: np.ndarray) -> np.ndarray:
        """The commanded pose moved by an "ee_delta" action, inside the reach."""
        position = np.clip(self.commanded_pose[:3] + POSITION_STEP * delta[:3], REACH[:, 0], REACH[:, 1])
        turn = Rotation.from_euler("xyz", ROTATION_STEP * delta[3:])
        return np.concatenate([position, (turn * Rotation.from_euler("xyz", self.commanded_pose[3:])).as_euler("xyz")])

    def _go_to(self, pose: np.ndarray, gripper: float) -> None:
        """Move in a straight line to `pose`, wait until it is reached, then set the gripper."""
        start = self.commanded_pose
        distance = np.linalg.norm(pose[:3] - start[:3]) / POSITION_STEP
        turn = np.abs(pose[3:] - start[3:]).max() / ROTATION_STEP
        ticks = max(1, int(np.ceil(max(distance, turn))))
        for k in range(1, ticks + 1):
            self._move(start + (pose - start) * k / ticks)
        for _ in range(SETTLE_TICKS):
            if np.linalg.norm(self.world.robot.tool_pose()[0] - pose[:3]) < SETTLE_DISTANCE:
                break
            self._move(pose)
        if gripper != self.commanded_gripper:
            self.commanded_gripper = gripper
            for _ in range(GRIPPER_TICKS):
                self._move(pose)

    def _move(self, pose: np.ndarray) -> None:
        """Command a tool pose and let one control period pass."""
        self.commanded_pose = pose
        self.world.robot.command_joints(self.world.robot.inverse_kinematics(pose[:3], pose[3:]), self.commanded_gripper)
        self._tick()

    def _tick(self) -> None:
        self.world.tick()
        self._ticks += 1

    def _observe(self) -> dict[str, Any]:
        observation: dict[str, Any] = {}
        for camera in self.cameras:
            picture = self.world.picture(camera, self.image_size)
            if "rgb" in self.modalities:
                observation[camera] = noisy_rgb(picture.rgb, self._errors) if self.noise else picture.rgb
            if "depth" in self.modalities:
                depth = noisy_depth(picture.depth, self._errors) if self.noise else picture.depth
                observation[f"{camera}_depth"] = depth
            if "segmentation" in self.modalities:
                observation[f"{camera}_segmentation"] = picture.segmentation
        observation["state"] = self.world.robot.proprioception()
        observation["joints"] = self.world.robot.joint_positions()
        observation |= self.sensors.read(self._errors)
        observation["instruction"] = self.world.scene.instruction()
        return observation

    def _info(self) -> dict[str, Any]:
        world = self.world
        conditions = self.task.conditions(world)
        target, front = world.scene.target, world.view("front")
        return {
            "success": all(conditions.values()),
            "goal_conditions": conditions,
            "grip_force": world.contact_force(world.bodies[target]),
            "table_force": world.contact_force(world.table),
            "seconds": self._ticks / CONTROL_HZ,
            "pixels": np.stack([front.project(world.position(i)) for i in range(len(world.bodies))]),
        }
