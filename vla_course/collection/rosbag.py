"""Recordings of a real robot made with ROS 2 (rosbag2, in SQLite or MCAP), as episodes. ROS need not be installed.

A small TOML file says which topic is what:

    robot = "panda"
    task = "pick"
    instruction = "pick up the red cube"
    success = true                          # or false; left out, nobody knows, and training skips the episode
    command = "/servo/command"              # Twist: m/s and rad/s; PoseStamped: where the tool shall be, next
    gripper = "/gripper/command"            # Float64 or Bool
    gripper_open = 0.08                     # its value when open, and when closed
    gripper_closed = 0.0
    pose = "/tool_pose"                     # PoseStamped, where the tool is: the policy's "state"; may be left out
    joints = "/joint_states"                # JointState
    joint_names = ["j1", "j2", "j3", "j4", "j5", "j6", "j7"]    # of the arm, in the robot's order

    [cameras]
    front = "/camera/color/image_raw"       # Image or CompressedImage
    wrist = "/wrist/image/compressed"

Twist and PoseStamped count in the robot's base frame. Each topic has its own rate, so all are sampled ten times a
second: what counts at a moment is the newest message that is not from its future. The time of a message is its header's
stamp, or where it has none, the time when it was recorded: the first is when a picture was taken, the second when it
arrived.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from vla_course.collection.poses import toward
from vla_course.collection.recorder import POSE, STEP
from vla_course.collection.rosbag_topics import BagMap, Stream, read_topics
from vla_course.data.episodes import Episode, write_episode
from vla_course.data.store import close_store, episode_folder, next_episode, open_store
from vla_course.errors import CourseError
from vla_course.sim.env import POSITION_STEP, ROTATION_STEP
from vla_course.sim.world import CONTROL_HZ

PERIOD = 1_000_000_000 // CONTROL_HZ  # nanoseconds
STALE = 500_000_000  # nanoseconds after which a velocity command no longer counts: controllers stop then


def import_bags(bags: Sequence[Path], root: Path, mapping: BagMap) -> dict:
    """Write each recording as one episode.

    Args:
        bags: folders of rosbag2 recordings.
        root: folder of the data set; a data set of the same settings is continued.
        mapping: which topic is what.

    Returns:
        The data set's metadata.

    Raises:
        CourseError: rosbags is not installed; a recording is damaged, lacks a topic, or its topics do not overlap.
    """
    for bag in bags:
        episode = read_bag(bag, mapping)
        joints = list(mapping.joint_names)
        known = {
            "action": STEP,
            "state": POSE,
            "joints": {"names": joints, "units": ["rad"] * len(joints)},
            "timestamp": {"names": ["timestamp"], "units": ["s"]},
        }
        features = {
            name: {"dtype": "float32", "shape": list(rows.shape[1:]), **known[name]}
            for name, rows in episode.steps.items()
        }
        settings = {
            "robot": mapping.robot,
            "task": mapping.task,
            "action_mode": "ee_delta",
            "fps": CONTROL_HZ,
            "cameras": list(mapping.cameras),
            "modalities": ["rgb"],
            "image_size": mapping.image_size,
            "seed": None,
            "features": features,
        }
        open_store(root, settings, {mapping.task: [mapping.instruction]})
        write_episode(episode, episode_folder(root, next_episode(root)))
    return close_store(root)


def read_bag(bag: Path, mapping: BagMap) -> Episode:
    """Read a recording as an episode of mode "ee_delta", ten steps a second.

    It begins when every topic has spoken and ends when the first falls silent.

    Args:
        bag: folder of a rosbag2 recording.
        mapping: which topic is what.

    Raises:
        CourseError: see `import_bags`.
    """
    topics = {"command": mapping.command, "gripper": mapping.gripper, "joints": mapping.joints, **mapping.cameras}
    if mapping.pose:
        topics["pose"] = mapping.pose
    streams = read_topics(bag, topics, mapping)
    first = max(stream.times[0] for stream in streams.values())
    last = min(stream.times[-1] for stream in streams.values())
    count = int((last - first) // PERIOD)  # the last moment has no action: none is known after it
    if count < 1:
        raise CourseError(f"{bag}: its topics have less than 0.1 s in common; record them at the same time")
    moments = first + PERIOD * np.arange(count + 1)
    gripper = np.array([2 * streams["gripper"].at(t)[0] - 1 for t in moments], dtype=np.float32).clip(-1, 1)
    steps = {
        "action": _actions(streams["command"], moments, np.where(gripper > 0, 1.0, -1.0)),
        "joints": np.array([streams["joints"].at(t) for t in moments]),
        "timestamp": (moments - first) / 1e9,
    }
    if mapping.pose:
        steps["state"] = np.column_stack([np.array([streams["pose"].at(t) for t in moments]), gripper])
    outcome = {True: "success", False: "failure", None: "unknown"}[mapping.success]
    metadata = {
        "task": mapping.task,
        "seed": None,
        "robot": mapping.robot,
        "success": mapping.success,
        "goal_conditions": {},
        "pointing": [],
        "device": "ROS 2 recording",
        "recording": bag.name,
        "outcome": outcome,
    }
    frames = {camera: [streams[camera].at(t) for t in moments[:count]] for camera in mapping.cameras}
    steps = {name: rows[:count].astype(np.float32) for name, rows in steps.items()}
    return Episode(metadata, mapping.instruction, steps, frames)


def _actions(command: Stream, moments: np.ndarray, gripper: np.ndarray) -> np.ndarray:
    """The actions (T, 7) between T + 1 moments."""
    if command.kind.endswith("PoseStamped"):
        here, actions = command.at(moments[0]).copy(), []
        for time, grip in zip(moments[1:], gripper, strict=False):
            action = toward(here, command.at(time), grip)
            # What was too far for one action is still to be gone: count from where the action leads.
            here[:3] += POSITION_STEP * action[:3]
            turn = Rotation.from_euler("xyz", ROTATION_STEP * action[3:6]) * Rotation.from_euler("xyz", here[3:])
            here[3:] = turn.as_euler("xyz")
            actions.append(action)
        return np.array(actions)
    steps = np.array([POSITION_STEP] * 3 + [ROTATION_STEP] * 3) * CONTROL_HZ  # the fastest, in m/s and rad/s
    rows = [command.at(t) / steps if command.age(t) < STALE else np.zeros(6) for t in moments[:-1]]
    return np.column_stack([np.clip(rows, -1, 1), gripper[:-1]])
