"""The DROID record form: a folder with a record for each episode, and its pictures beside it.

    episode_0000/record.json    episode_id, language_instruction, observations, actions, success
    episode_0000/images/        the pictures that the record names

| here                        | in a record                                                                          |
|-----------------------------|--------------------------------------------------------------------------------------|
| timestamp                   | observations[i].timestamp, seconds                                                   |
| joints                      | observations[i].state.joint_positions, radians                                       |
| state without its gripper   | observations[i].state.ee_pose                                                        |
| gripper of the state        | observations[i].state.gripper_position: 0 open, 1 closed (DROID's way round)         |
| front camera                | observations[i].image {rgb, depth, segmentation}: names of files                     |
| other cameras               | observations[i].image_<camera>, the same                                             |
| action                      | actions[i].delta_joint_positions: to the joints of the next step; zeros in the last, |
|                             | whose end was not recorded. actions[i].gripper_command: 0 open, 1 closed             |
| action as recorded, reward, | no place: folder vla_course/, see `recording`                                        |
| other columns, metadata,    |                                                                                      |
| robot, fps                  |                                                                                      |

Without the folder vla_course/ an import gives what the record says: the action is the joint deltas and the gripper
(+1 open, -1 closed), `action_mode` is "joint_delta", the robot is unknown, and fps is that of the timestamps.

Source: the record form in the course's requirements, after Khazatsky et al. 2024 (DROID), appendix on data.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from vla_course.data.episodes import Episode
from vla_course.data.files import parse_json, read_file
from vla_course.data.formats.recording import COLORS, Recording
from vla_course.data.pictures import MODALITIES, stream_name, suffix
from vla_course.errors import CourseError

HELD = {"joints", "timestamp"}  # the columns that a record holds as they are
POSE = ["x", "y", "z", "roll", "pitch", "yaw"]


def write(root: Path, metadata: dict, recordings: Iterable[Recording]) -> None:
    """Write a data set; see `vla_course.data.formats.export_dataset`.

    Raises:
        CourseError: the data set has no joint angles, or no component "gripper" in action and state.
    """
    features = metadata["features"]
    if "joints" not in features or any(
        "gripper" not in features.get(n, {}).get("names", ()) for n in ("action", "state")
    ):
        raise CourseError(
            f"columns {', '.join(features)}: a DROID record needs joints, and a component named 'gripper' in action "
            "and state; choose another format"
        )
    for number, recording in enumerate(recordings):
        episode, name = recording.episode, f"episode_{number:04d}"
        (root / name / "images").mkdir(parents=True)
        for stream, files in recording.files.items():
            for i, content in enumerate(files):
                (root / name / _picture(stream, i)).write_bytes(content)
        pose, gripper = _split(episode.steps["state"], features["state"]["names"])
        command = _split(episode.steps["action"], features["action"]["names"])[1]
        joints = episode.steps["joints"]
        deltas = np.diff(joints, axis=0, append=joints[-1:])
        observations = [
            {
                "timestamp": float(episode.steps["timestamp"][i]),
                **_images(recording, i),
                "state": {
                    "joint_positions": joints[i].tolist(),
                    "ee_pose": pose[i].tolist(),
                    "gripper_position": gripper[i],
                },
            }
            for i in range(len(episode))
        ]
        record = {
            "episode_id": name,
            "language_instruction": episode.instruction,
            "observations": observations,
            "actions": [
                {"delta_joint_positions": d.tolist(), "gripper_command": g}
                for d, g in zip(deltas, command, strict=True)
            ],
            "success": bool(episode.metadata["success"]),
        }
        (root / name / "record.json").write_text(json.dumps(record))


def read(root: Path) -> tuple[dict, Iterator[Recording]]:
    """Read a data set; see `vla_course.data.formats.import_dataset`."""
    folders = sorted(path.parent for path in root.glob("*/record.json"))
    if not folders:
        raise ValueError("holds no */record.json")
    first = _record(folders[0])
    joints = len(first["observations"][0]["state"]["joint_positions"])
    width = len(first["observations"][0]["state"]["ee_pose"])
    pose = POSE if width == len(POSE) else [f"ee_pose_{i}" for i in range(width)]
    has_gripper = "gripper_position" in first["observations"][0]["state"]
    times = [observation["timestamp"] for observation in first["observations"]]
    names = {
        "action": [f"delta_joint_{i}" for i in range(joints)] + ["gripper"],
        "state": pose + ["gripper"] * has_gripper,
        "joints": [f"joint_{i}" for i in range(joints)],
    }
    settings = {
        "action_mode": "joint_delta",
        "fps": round(1 / float(np.median(np.diff(times))), 3) if len(times) > 1 else 1,
        "features": {name: {"names": components} for name, components in names.items()},
    }
    return settings, (_recording(folder) for folder in folders)


def _record(folder: Path) -> dict:
    return parse_json(read_file(folder, "record.json"), f"{folder.name}/record.json")


def _recording(folder: Path) -> Recording:
    record = _record(folder)
    observations, actions = record["observations"], record["actions"]
    if len(observations) != len(actions):
        raise ValueError(f"{folder.name}/record.json: {len(observations)} observations for {len(actions)} actions")
    states = [observation["state"] for observation in observations]
    steps = {
        "action": [[*a["delta_joint_positions"], 1 - 2 * a["gripper_command"]] for a in actions],
        "state": [
            [*s["ee_pose"], 1 - 2 * s["gripper_position"]] if "gripper_position" in s else s["ee_pose"] for s in states
        ],
        "joints": [s["joint_positions"] for s in states],
        "timestamp": [observation["timestamp"] for observation in observations],
    }
    metadata = {"success": bool(record["success"])}
    arrays = {name: np.array(rows, dtype=np.float32) for name, rows in steps.items()}
    recording = Recording(Episode(metadata, record["language_instruction"], arrays))
    for camera in COLORS:
        key = "image" if camera == "front" else f"image_{camera}"
        for modality in MODALITIES:
            if modality in observations[0].get(key, {}):
                stream = stream_name(camera, modality)
                files = [read_file(folder, observation[key][modality]) for observation in observations]
                recording.add_pictures(stream, files)
    return recording


def _split(rows: np.ndarray, names: list[str]) -> tuple[np.ndarray, list[float]]:
    """All components but the gripper, and the gripper in DROID's way round: 0 open, 1 closed."""
    column = names.index("gripper")
    return np.delete(rows, column, axis=1), ((1 - rows[:, column].astype(np.float64)) / 2).tolist()


def _picture(stream: str, i: int) -> str:
    return f"images/{stream}_{i:04d}{suffix(stream)}"


def _images(recording: Recording, i: int) -> dict[str, dict[str, str]]:
    images: dict[str, dict[str, str]] = {}
    for stream in recording.files:
        camera, modality = (stream, "rgb") if stream in COLORS else stream.rsplit("_", 1)
        images.setdefault("image" if camera == "front" else f"image_{camera}", {})[modality] = _picture(stream, i)
    return images
