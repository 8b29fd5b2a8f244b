"""A stream of poses, as a VR controller or a motion tracker sends it over the network.

A datagram (UDP) is one packet of 45 bytes, little-endian, without padding:

    offset  type       what
    0       4 bytes    magic, "VLA1"
    4       uint32     sequence number, one more for each packet; after the largest comes 0
    8       float64    the sender's time, s
    16      3 float32  position of the controller, m
    28      4 float32  its orientation, quaternion x, y, z, w
    44      uint8      buttons: 1 clutch, 2 gripper (held is closed), 4 finish, 8 discard, 16 quit; added up

Axes are those of OpenXR: right-handed, x to the right, y up, z toward the person. The person looks at the robot from
across the table, as the front camera does, so right is the robot's +y, up its +z, toward the person its +x.

The robot follows only while the clutch is held, and follows what the controller did since the clutch was pressed: the
person can let go, move the arm back to a comfortable place, and go on.

UDP loses packets, doubles them, and delivers them late. A packet tells the whole state, so what is lost costs nothing;
late and doubled ones are known by their sequence number, and damaged ones are ignored.
"""

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from vla_course.collection.devices import Command
from vla_course.collection.poses import is_at_rest, toward
from vla_course.errors import CourseError
from vla_course.sim.env import TabletopEnv
from vla_course.sim.world import CONTROL_HZ

LAYOUT = struct.Struct("<4sId3f4fB")
MAGIC = b"VLA1"
CLUTCH, GRIPPER, FINISH, DISCARD, QUIT = 1, 2, 4, 8, 16
EVENTS = {QUIT: "quit", DISCARD: "discard", FINISH: "finish"}

HEADSET_TO_ROBOT = Rotation.from_matrix([[0, 0, 1], [1, 0, 0], [0, 1, 0]])
SILENCE = 0.5  # seconds without a packet, after which the clutch counts as released
RESTARTED = 30  # packets in a row with old sequence numbers, after which the sender must have started again


@dataclass(frozen=True)
class Packet:
    """What a controller reports at one moment.

    Attributes:
        sequence: its number, 0 to 2**32 - 1.
        time: the sender's, seconds.
        position: (3,) metres, headset axes.
        orientation: (4,) quaternion x, y, z, w, headset axes.
        buttons: `CLUTCH`, `GRIPPER`, ... added up.
    """

    sequence: int
    time: float
    position: np.ndarray
    orientation: np.ndarray
    buttons: int

    def pack(self) -> bytes:
        """The packet's 45 bytes."""
        return LAYOUT.pack(MAGIC, self.sequence, self.time, *self.position, *self.orientation, self.buttons)


def unpack(datagram: bytes) -> Packet | None:
    """The packet in a datagram, or None where it holds none: other length or magic, not finite, no unit quaternion."""
    if len(datagram) != LAYOUT.size or not datagram.startswith(MAGIC):
        return None
    _, sequence, seconds, *numbers, buttons = LAYOUT.unpack(datagram)
    values = np.array(numbers)
    if not np.isfinite([seconds, *values]).all() or abs(np.linalg.norm(values[3:]) - 1) > 0.01:
        return None
    return Packet(sequence, seconds, values[:3], values[3:], buttons)


class PoseStream:
    """Poses of a controller to commands.

    Args:
        env: what is moved.
        receive: waits for a control period and returns the datagrams that came; see `UdpReceiver`.
        scale: metres of the robot for a metre of the controller.

    Attributes:
        lost, late, malformed: how many packets were.
    """

    name = "pose stream"
    keys = "hold the clutch and move; the buttons are gripper, finish, discard, quit"

    def __init__(self, env: TabletopEnv, receive: Callable[[], list[bytes]], scale: float = 1.0):
        if not 0 < scale <= 10:
            raise CourseError(f"pose stream: scale {scale} is not above 0 and at most 10; 1 is as the hand moves")
        self.env, self.scale = env, scale
        self.lost = self.late = self.malformed = 0
        self._receive = receive
        self._last: Packet | None = None
        self._refused = 0
        self.reset()

    def reset(self) -> None:
        """The robot is elsewhere: what the controller does counts from now on."""
        self._anchor: tuple[Packet, np.ndarray] | None = None

    def read(self) -> Command | None:
        """Where the newest packet wants the robot; an event where one of the packets has one."""
        newest = None
        for datagram in self._receive():
            packet = self._accept(datagram)
            if packet is None:
                continue
            before, self._last, newest = self._last, packet, packet
            if before is not None and packet.time - before.time > SILENCE:
                self._anchor = None
            if not packet.buttons & CLUTCH:
                self._anchor = None
            elif self._anchor is None:
                self._anchor = packet, self.env.commanded_pose.copy()
            pressed = packet.buttons & ~(before.buttons if before else 0)
            for bit, event in EVENTS.items():
                if pressed & bit:
                    return Command(event=event)
        return None if newest is None else self._follow(newest)

    def _follow(self, packet: Packet) -> Command | None:
        gripper = -1.0 if packet.buttons & GRIPPER else 1.0
        goal = self.env.commanded_pose
        if self._anchor is not None:
            first, start = self._anchor
            shift = HEADSET_TO_ROBOT.apply(packet.position - first.position)
            turn = Rotation.from_quat(packet.orientation) * Rotation.from_quat(first.orientation).inv()
            turn = HEADSET_TO_ROBOT * turn * HEADSET_TO_ROBOT.inv()
            goal = np.append(
                start[:3] + self.scale * shift, (turn * Rotation.from_euler("xyz", start[3:])).as_euler("xyz")
            )
        action = toward(self.env.commanded_pose, goal, gripper)
        return None if is_at_rest(self.env, action) else Command(action)

    def _accept(self, datagram: bytes) -> Packet | None:
        """The packet, if it is one and newer than the last."""
        packet = unpack(datagram)
        if packet is None:
            self.malformed += 1
            return None
        # Newer or older, counted in a circle of 2**32 numbers (RFC 1982).
        ahead = 1 if self._last is None else (packet.sequence - self._last.sequence) % 2**32
        self._refused = 0 if 0 < ahead < 2**31 else self._refused + 1
        if 0 < self._refused < RESTARTED:
            self.late += 1
            return None
        if self._refused:
            self._refused, self._anchor, ahead = 0, None, 1
        self.lost += ahead - 1
        return packet


class UdpReceiver:
    """Datagrams from the network, a control period's at a time.

    Args:
        port: UDP port; 0 takes a free one.
        host: which of this machine's addresses listens. Only this machine itself can reach the usual one; "0.0.0.0"
            lets everybody in the network move the robot.

    Attributes:
        port: that it listens on.

    Raises:
        CourseError: the port is taken, or there is none of this number.
    """

    def __init__(self, port: int = 8765, host: str = "127.0.0.1"):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((host, port))
        except (OSError, OverflowError) as error:
            self._socket.close()
            reason = getattr(error, "strerror", error)
            raise CourseError(f"UDP port {host}:{port}: {reason}; choose another port") from error
        self.port = self._socket.getsockname()[1]

    def __call__(self) -> list[bytes]:
        """Wait 0.1 s and return what came."""
        end, datagrams = time.monotonic() + 1 / CONTROL_HZ, []
        while (left := end - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                datagrams.append(self._socket.recv(2**16))  # a smaller buffer than a datagram is an error on Windows
            except (TimeoutError, BlockingIOError):
                break
        return datagrams

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()
