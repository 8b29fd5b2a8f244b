"""What a device is, and what it may say."""

import time
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np

from vla_course.errors import CourseError, one_of
from vla_course.sim.world import CONTROL_HZ

# Directions as a person sees them who looks at the front camera's picture: the axis of the action, and its sign.
# "Turn left" is counterclockwise from above. A hand that leans keeps its fingertips where they are.
DIRECTIONS = {
    "left": (1, -1.0),
    "right": (1, 1.0),
    "away": (0, -1.0),
    "toward": (0, 1.0),
    "up": (2, 1.0),
    "down": (2, -1.0),
    "turn left": (5, 1.0),
    "turn right": (5, -1.0),
    "lean left": (3, 1.0),
    "lean right": (3, -1.0),
    "lean toward": (4, 1.0),
    "lean away": (4, -1.0),
}

Event = Literal["finish", "discard", "quit"]


@dataclass(frozen=True)
class Command:
    """What a device wants to happen next.

    Attributes:
        action: (7,) of mode "ee_delta", clipped to [-1, 1]; or None.
        event: "finish" ends the episode and keeps it as it is, "discard" throws it away and starts the same scene
            again, "quit" ends the session; or None.

    Raises:
        CourseError: an action that is not seven finite numbers.
    """

    action: np.ndarray | None = None
    event: Event | None = None

    def __post_init__(self) -> None:
        if self.event is not None:
            one_of("event", self.event, get_args(Event))
        if self.action is not None:
            action = np.asarray(self.action, dtype=np.float32)
            if action.shape != (7,) or not np.isfinite(action).all():
                raise CourseError(f"the device's action {action.tolist()} is not 7 finite numbers; correct the device")
            object.__setattr__(self, "action", np.clip(action, -1, 1))


class Device(Protocol):
    """Anything that a person moves the robot with.

    Attributes:
        name: what an episode's metadata calls it.
        keys: what its buttons do, in one line.
    """

    name: str
    keys: str

    def reset(self) -> None:
        """A new episode begins: the robot is at its start, its gripper open."""

    def read(self) -> Command | None:
        """What to do next, or None for nothing. Returns within about 0.1 s, so that the session can be stopped."""


def move(direction: str, size: float, gripper: float) -> Command:
    """One step along a direction.

    Args:
        direction: a key of `DIRECTIONS`.
        size: of the largest step, 0 to 1.
        gripper: +1 open, -1 closed.
    """
    axis, sign = DIRECTIONS[direction]
    action = np.zeros(7, dtype=np.float32)
    action[axis], action[6] = sign * size, gripper
    return Command(action)


class Rate:
    """Ten times a second, for devices that are held and not pressed: `wait` returns when the next period begins."""

    def __init__(self):
        self._next = 0.0

    def wait(self) -> None:
        """Sleep until the next period. Periods that were missed are not made up for."""
        now = time.monotonic()
        self._next = max(self._next + 1 / CONTROL_HZ, now)
        time.sleep(self._next - now)
