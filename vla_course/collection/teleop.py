"""Recording by hand from the command line: a device, a world, a data set."""

import functools
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from vla_course.collection.devices import Device
from vla_course.collection.gamepad import Gamepad
from vla_course.collection.keyboard import Keyboard, show_in_terminal, terminal_keys
from vla_course.collection.kinesthetic import Kinesthetic, along, path_through
from vla_course.collection.pose_stream import PoseStream, UdpReceiver
from vla_course.collection.session import record_session
from vla_course.errors import one_of
from vla_course.sim.env import TabletopEnv

DEVICES = ("keyboard", "gamepad", "vr", "kinesthetic")


def teleop(
    root: Path,
    device: str = "keyboard",
    task: str = "pick",
    episodes: int = 3,
    seed: int = 0,
    cameras: Sequence[str] = ("front", "wrist"),
    image_size: int = 64,
    robot: str = "panda",
    operator: str = "",
    port: int = 8765,
) -> dict:
    """Record a person's demonstrations; what the cameras see is drawn in the terminal.

    Args:
        root: folder of the data set; one of the same settings is continued.
        device: one of `DEVICES`. "vr" waits for packets (`vla_course.collection.pose_stream`); with "kinesthetic" a
            simulated hand leads the arm along the expert's plan.
        task: a key of `TASKS`.
        episodes: how many the data set shall hold.
        seed: names the scenes.
        cameras, image_size, robot: what is recorded; see `TabletopEnv`.
        operator: who moves the robot, for the episodes' metadata.
        port: UDP port for "vr".

    Returns:
        The data set's metadata.

    Raises:
        CourseError: an unknown name; a device that is not there; see `record_session`.
        KeyboardInterrupt: Ctrl-C or SIGTERM; what was recorded is kept.
    """
    one_of("device", device, DEVICES)
    env = TabletopEnv(task, robot, "ee_delta", cameras, image_size=image_size)
    with _opened(device, env, port) as chosen:
        show = None
        if sys.stdout.isatty():
            sys.stdout.write("\x1b[2J")  # clear the screen
            show = functools.partial(show_in_terminal, keys=chosen.keys)
        return record_session(chosen, env, root, episodes, seed, operator, show)


@contextmanager
def _opened(device: str, env: TabletopEnv, port: int) -> Iterator[Device]:
    if device == "keyboard":
        with terminal_keys() as key:
            yield Keyboard(key)
    elif device == "gamepad":
        yield Gamepad()
    elif device == "vr":
        receiver = UdpReceiver(port)
        try:
            yield PoseStream(env, receiver)
        finally:
            receiver.close()
    else:
        hand = Kinesthetic(env, lambda world: along(path_through(world.robot.proprioception(), env.task.expert(world))))
        try:
            yield hand
        finally:
            hand.close()
