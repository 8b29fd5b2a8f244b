"""What the topics of a ROS 2 recording say, in the course's units."""

import io
import tomllib
from bisect import bisect_right
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

from vla_course.errors import CourseError, one_of
from vla_course.sim.robots import POINTING_DOWN

CHANNELS = {"rgb8": [0, 1, 2], "bgr8": [2, 1, 0], "rgba8": [0, 1, 2, 3], "bgra8": [2, 1, 0, 3], "mono8": [0]}


@dataclass(frozen=True)
class BagMap:
    """Which topic of a recording is what; see the module. Read it from TOML with `read_map`.

    Attributes:
        image_size: pictures are cut to a square around their center, then made so many pixels wide.

    Raises:
        CourseError: an open gripper says the same as a closed one.
    """

    robot: str
    task: str
    instruction: str
    command: str
    gripper: str
    joints: str
    joint_names: tuple[str, ...]
    cameras: dict[str, str] = field(default_factory=dict)
    pose: str | None = None
    gripper_open: float = 1.0
    gripper_closed: float = 0.0
    success: bool | None = None
    image_size: int = 64

    def __post_init__(self) -> None:
        if self.gripper_open == self.gripper_closed:
            raise CourseError(
                f"gripper_open and gripper_closed are both {self.gripper_open}; give what topic {self.gripper!r} says "
                "at each"
            )


def read_map(path: Path) -> BagMap:
    """Read a map from a TOML file.

    Raises:
        CourseError: it is no TOML, or lacks a key, or has one too many; see also `BagMap`.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CourseError(f"{path}: is not a readable TOML file ({error}); correct it") from error
    for key in table:
        one_of(f"key in {path}", key, {f.name for f in fields(BagMap)})
    needed = [f.name for f in fields(BagMap) if f.default is MISSING and f.default_factory is MISSING]
    if missing := [name for name in needed if name not in table]:
        raise CourseError(f"{path}: lacks {', '.join(missing)}; add what the recording has")
    names, cameras = table["joint_names"], table.get("cameras", {})
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise CourseError(f'{path}: joint_names = {names!r}; give a list of names, such as ["j1", "j2"]')
    if not isinstance(cameras, dict) or not all(isinstance(topic, str) for topic in cameras.values()):
        raise CourseError(f"{path}: cameras = {cameras!r}; give a table of names and topics")
    return BagMap(**{**table, "joint_names": tuple(table["joint_names"])})


@dataclass
class Stream:
    """What one topic said.

    Attributes:
        kind: its message type.
        times: nanoseconds, in order.
        values: one for each time: pictures (size, size, 3) uint8; a pose x, y, z in metres and roll, pitch, yaw in
            radians; a velocity (6,) in m/s and rad/s; joint angles (n,) in radians; the gripper (1,), 0 closed, 1 open.
    """

    kind: str
    times: list[int]
    values: list[np.ndarray]

    def at(self, time: int) -> np.ndarray:
        """The newest value that is not later than `time`."""
        return self.values[bisect_right(self.times, time) - 1]

    def age(self, time: int) -> int:
        """How old that value is at `time`, nanoseconds."""
        return time - self.times[bisect_right(self.times, time) - 1]


def read_topics(bag: Path, topics: dict[str, str], mapping: BagMap) -> dict[str, Stream]:
    """Read topics of a recording.

    Args:
        bag: folder of a rosbag2 recording.
        topics: what a topic is ("command", "gripper", "joints", "pose" or a camera) to its name.
        mapping: which joints, what an open gripper says, how large pictures shall be.

    Raises:
        CourseError: rosbags is not installed; a damaged recording; a topic that it lacks, or of another type.
    """
    try:
        from rosbags.highlevel import AnyReader
        from rosbags.typesys import Stores, get_typestore
    except ImportError:
        raise CourseError('ROS recordings need rosbags, which is not installed; run "pip install rosbags"') from None
    try:
        with AnyReader([bag], default_typestore=get_typestore(Stores.LATEST)) as reader:
            found = {connection.topic: connection for connection in reader.connections}
            for name, topic in topics.items():
                one_of(f"topic for {name} in {bag}", topic, found)
            return {name: _stream(reader, name, found[topic], mapping) for name, topic in topics.items()}
    except CourseError:
        raise
    except Exception as error:  # on damaged bytes a reader may raise anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise CourseError(f"{bag}: is not a readable ROS 2 recording ({reason}); record or copy it again") from error


def _stream(reader: object, name: str, connection: object, mapping: BagMap) -> Stream:
    """One topic, each message turned into its value at once: large pictures would fill the memory."""
    pairs = []
    for _, received, raw in reader.messages(connections=[connection]):
        message = reader.deserialize(raw, connection.msgtype)
        stamp = message.header.stamp if hasattr(message, "header") else None
        time = stamp.sec * 1_000_000_000 + stamp.nanosec if stamp is not None else 0
        pairs.append((time or received, _value(name, connection, message, mapping)))
    if not pairs:
        raise CourseError(f"topic {connection.topic!r} has no messages; record it, or correct the map")
    pairs.sort(key=lambda pair: pair[0])
    times, values = zip(*pairs, strict=True)
    return Stream(connection.msgtype, list(times), list(values))


def _value(name: str, connection: object, message: object, mapping: BagMap) -> np.ndarray:
    """What a message says, in the course's units."""
    kind = connection.msgtype
    match name, kind.rsplit("/", 1)[-1]:
        case "joints", "JointState":
            angles = dict(zip(message.name, message.position, strict=True))
            for joint in mapping.joint_names:
                one_of(f"joint in topic {connection.topic!r}", joint, angles)
            return np.array([angles[joint] for joint in mapping.joint_names])
        case "gripper", "Float64" | "Float32" | "Bool":
            width = mapping.gripper_open - mapping.gripper_closed
            return np.array([(float(message.data) - mapping.gripper_closed) / width])
        case "command", "Twist" | "TwistStamped":
            twist = message.twist if kind.endswith("TwistStamped") else message
            return np.array([getattr(v, axis) for v in (twist.linear, twist.angular) for axis in "xyz"])
        case "command" | "pose", "PoseStamped":
            p, q = message.pose.position, message.pose.orientation
            turn = Rotation.from_quat([q.x, q.y, q.z, q.w]) * Rotation.from_quat(POINTING_DOWN).inv()
            return np.array([p.x, p.y, p.z, *turn.as_euler("xyz")])
        case _, "CompressedImage" if name in mapping.cameras:
            with Image.open(io.BytesIO(message.data.tobytes())) as image:
                return _square(image.convert("RGB"), mapping.image_size)
        case _, "Image" if name in mapping.cameras:
            one_of(f"encoding in topic {connection.topic!r}", message.encoding, CHANNELS)
            order = CHANNELS[message.encoding]
            rows = message.data.reshape(message.height, message.step)[:, : message.width * len(order)]
            pixels = rows.reshape(message.height, message.width, len(order))[..., order]
            pixels = np.repeat(pixels, 3, axis=2) if len(order) == 1 else np.ascontiguousarray(pixels[..., :3])
            return _square(Image.fromarray(pixels), mapping.image_size)
    raise CourseError(f"topic {connection.topic!r} has type {kind}, which cannot be {name}; correct the map")


def _square(image: Image.Image, size: int) -> np.ndarray:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return np.asarray(image.resize((size, size), Image.Resampling.BOX, box=(left, top, left + side, top + side)))
