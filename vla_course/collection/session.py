"""One loop for everything that a person moves the robot with: keys, buttons, sticks, hands, recordings.

A device says what shall be done next; the session does it and writes it down. The world stands still while the device
says nothing, so an episode holds no idle frames, and nobody needs quick fingers.

An episode is written at the moment it ends, so a crash costs the unfinished one at most. Stopped in order (Ctrl-C,
SIGTERM, the device's "quit", an error in the device), the session keeps the unfinished one too, labelled as a failure.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from vla_course.collection.devices import Command, Device
from vla_course.collection.recorder import Recorder, features
from vla_course.data.description import read_metadata
from vla_course.data.episodes import write_episode
from vla_course.data.store import close_store, episode_folder, episode_folders, next_episode, open_store
from vla_course.errors import CourseError
from vla_course.seeds import scene_seed
from vla_course.sim.env import GRIPPER_TICKS, TICKS, TabletopEnv
from vla_course.sim.experts import EMPTY
from vla_course.sim.tasks import WAYPOINTS
from vla_course.sim.world import CONTROL_HZ

TIME_FOR_A_PERSON = 5  # times the control periods that the expert gets


class Session:
    """A person's episodes on their way into a data set.

    Args:
        env: in mode "ee_delta".
        root: the data set's folder; a data set of the same settings is continued.
        seed: names the scenes: episode i starts from `scene_seed(seed, i)`.
        device: what moves the robot.
        operator: who does.

    Attributes:
        steps: of the episode now, 0 after it was kept.

    Raises:
        CourseError: another action mode; a folder that cannot be written or was recorded with other settings.
    """

    def __init__(self, env: TabletopEnv, root: Path, seed: int, device: str, operator: str = ""):
        if env.action_mode != "ee_delta":
            raise CourseError(f"a person moves the robot in action mode 'ee_delta', not {env.action_mode!r}")
        self.env, self.root, self.seed = env, root, seed
        self.labels = {"device": device, "operator": operator}
        self.recorder, self.steps = Recorder(env), 0
        env.max_steps = TIME_FOR_A_PERSON * env.task.waypoints * TICKS // WAYPOINTS
        settings = {
            "robot": env.world.robot_name,
            "task": env.task.name,
            "action_mode": env.action_mode,
            "fps": CONTROL_HZ,
            "cameras": list(env.cameras),
            "modalities": list(env.modalities),
            "image_size": env.image_size,
            "variety": env.variety,
            "sensors": list(env.sensors.spaces),
            "seed": seed,
            "noise": 0.0,
            "features": features(env),
        }
        open_store(root, settings, {env.task.name: list(env.task.phrasings)})

    @property
    def kept(self) -> int:
        """How many episodes the data set holds."""
        return len(episode_folders(self.root))

    def begin(self) -> None:
        """Start the scene of the next episode; what was not kept is gone."""
        self.steps = 0
        self.recorder.reset(scene_seed(self.seed, next_episode(self.root)))

    def step(self, action: np.ndarray) -> bool:
        """Carry out an action (7,). One that opens or closes the gripper waits until it has done so.

        Returns:
            Whether the episode is over: the task is done, or there is no time left.
        """
        changes = (action[6] > 0) != (self.env.commanded_gripper > 0)
        for k in range(GRIPPER_TICKS if changes else 1):
            over = self.recorder.step(action if k == 0 else np.array([0, 0, 0, 0, 0, 0, action[6]], np.float32))
            self.steps += 1
            if over:
                break
        return over

    def keep(self, outcome: str = "failure") -> Path:
        """Write the episode; it is on the disk when this returns.

        Args:
            outcome: why it ended, if not by success.

        Returns:
            Its folder.

        Raises:
            CourseError: the disk is full, or nothing was done yet. The episode is still in memory: free space, and
                keep it then.
        """
        if self.steps == 0:
            raise CourseError("the episode has no steps yet; move the robot before you save")
        outcome = "success" if self.recorder.info["success"] else outcome
        episode = self.recorder.episode({**self.labels, "outcome": outcome})
        episode.metadata["recoveries"] = _recoveries(episode.steps) if self.env.task.grasps else 0
        folder = episode_folder(self.root, next_episode(self.root))
        write_episode(episode, folder)
        self.steps = 0
        return folder

    def close(self) -> dict:
        """Keep what was not finished, labelled "interrupted", and describe the data set.

        Returns:
            The data set's metadata.
        """
        if self.steps:
            self.keep("interrupted")
        return close_store(self.root) if self.kept else read_metadata(self.root)


def record_session(
    device: Device,
    env: TabletopEnv,
    root: Path,
    episodes: int = 1,
    seed: int = 0,
    operator: str = "",
    show: Callable[[Session], None] | None = None,
) -> dict:
    """Record until the data set holds `episodes` episodes, or the device says "quit".

    Each episode's metadata says its `device`, its `operator`, its `recoveries` (how often the hand closed on nothing
    and opened again) and its `outcome`: "success", "failure" (the operator ended it), "timeout" or "interrupted".

    Args:
        device: what moves the robot.
        env: in mode "ee_delta".
        root, seed, operator: see `Session`.
        episodes: how many the data set shall hold, those of earlier sessions included.
        show: is called at the start and after each command, to draw what the cameras see.

    Returns:
        The data set's metadata.

    Raises:
        CourseError: see `Session`; a full disk; a device that failed.
        KeyboardInterrupt: the process was told to stop, by SIGINT, SIGTERM or SIGHUP, and has kept what it had.
    """
    session = Session(env, root, seed, device.name, operator)
    show = show or (lambda session: None)
    with _told_to_stop() as told:
        try:
            event = None
            while session.kept < episodes and event != "quit" and not told.is_set():
                session.begin()
                device.reset()
                show(session)
                event, over = None, False
                while not (event or over or told.is_set()):
                    command = device.read() or Command()
                    event = command.event
                    if command.action is not None and event is None:
                        over = session.step(command.action)
                        show(session)
                if event == "discard":
                    session.steps = 0
                elif over or (event == "finish" and session.steps):
                    session.keep("timeout" if over else "failure")
        finally:
            metadata = session.close()
    if told.is_set():
        raise KeyboardInterrupt
    return metadata


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """Turn SIGINT, SIGTERM and SIGHUP (a lost connection) into a flag: they never strike in the middle of a step."""
    told = threading.Event()
    main = threading.current_thread() is threading.main_thread()  # no other thread may handle signals
    names = ("SIGINT", "SIGTERM", "SIGHUP") if main else ()
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]  # Windows has no SIGHUP
    before = {number: signal.signal(number, lambda *_: told.set()) for number in numbers}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _recoveries(steps: dict[str, np.ndarray]) -> int:
    """How often the hand held nothing though it was closed, and was opened again."""
    empty = steps["state"][:, 6] < EMPTY
    began = np.flatnonzero(empty & ~np.append(False, empty[:-1]))
    opened = np.flatnonzero(steps["executed"][:, 6] > 0)
    return sum(bool((opened > start).any()) for start in began)
