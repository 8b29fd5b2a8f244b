"""Every way to record ends in the same episodes, which say what happened and do it again when they are replayed."""

import ctypes
import functools
import io
import os
import pty
import re
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.spatial.transform import Rotation, Slerp

from vla_course.collection import session as sessions
from vla_course.collection.devices import DIRECTIONS, Command, move
from vla_course.collection.gamepad import Gamepad, GamepadMap
from vla_course.collection.keyboard import MOVES, Keyboard, half_blocks, terminal_keys
from vla_course.collection.kinesthetic import Kinesthetic, along, path_through, teach
from vla_course.collection.pose_stream import (
    CLUTCH,
    DISCARD,
    FINISH,
    GRIPPER,
    HEADSET_TO_ROBOT,
    Packet,
    PoseStream,
    UdpReceiver,
    unpack,
)
from vla_course.collection.rosbag import import_bags
from vla_course.collection.rosbag_topics import BagMap, read_map
from vla_course.collection.scripted import collect
from vla_course.collection.session import Session, record_session
from vla_course.collection.teleop import teleop
from vla_course.data.episodes import Episode, read_episode
from vla_course.data.store import episode_folders, read_metadata, verify
from vla_course.data.windows import WindowDataset
from vla_course.errors import CourseError
from vla_course.seeds import scene_seed
from vla_course.sim.compliance import CompliantArm, orientation
from vla_course.sim.env import POSITION_STEP, ROTATION_STEP, TabletopEnv
from vla_course.sim.experts import ClosedLoopExpert
from vla_course.sim.robots import POINTING_DOWN, ROBOTS
from vla_course.sim.world import Scene, World

STILL = np.array([0, 0, 0, 0, 0, 0, 1.0])


@pytest.fixture(scope="module")
def env() -> Iterator[TabletopEnv]:
    made = TabletopEnv("pick", cameras=("front",), image_size=32)
    yield made
    made.close()


class Script:
    """A device that says what stands in a list, for each episode anew; None at its end."""

    name, keys = "script", ""

    def __init__(self, *episodes: Iterable[Command | Exception]):
        self._episodes = iter(episodes)

    def reset(self) -> None:
        self._commands = iter(next(self._episodes))

    def read(self) -> Command | None:
        command = next(self._commands, None)
        if isinstance(command, Exception):
            raise command
        return command


class Expert:
    """The closed-loop expert as a device."""

    name, keys = "expert", ""

    def __init__(self, env: TabletopEnv):
        self._expert = ClosedLoopExpert(env)
        self.reset = self._expert.reset

    def read(self) -> Command:
        return Command(self._expert.act())


def episodes_in(root: Path) -> list[Episode]:
    sound, damaged = verify(root)
    assert not damaged
    return [read_episode(folder) for folder in episode_folders(root)]


def replays(env: TabletopEnv, episode: Episode) -> bool:
    """Whether the recorded actions alone do the task again, and the robot is where it was at every step."""
    observation, _ = env.reset(seed=episode.metadata["seed"])
    for action, state in zip(episode.steps["executed"], episode.steps["state"], strict=True):
        np.testing.assert_array_equal(observation["state"], state)
        observation, *_, info = env.step(action)
    return info["success"]


# The session.


def test_every_end_has_its_label(env: TabletopEnv, tmp_path: Path):
    """And nothing else happens: a discarded attempt leaves no trace, its scene comes again."""
    go, finish = move("left", 0.4, 1.0), Command(event="finish")
    script = Script(
        [go, go, Command(event="discard")],
        [finish],  # nothing was done: nothing to keep
        [None, go, None, None, finish],  # and no idle frames
        [move("up", 0.0, -1.0), go, move("up", 0.4, 1.0), finish],
        [go, go, go, Command(event="quit")],
    )
    metadata = record_session(script, env, tmp_path, episodes=10, seed=4, operator="Ada")
    episodes = episodes_in(tmp_path)
    assert [e.metadata["outcome"] for e in episodes] == ["failure", "failure", "interrupted"]
    assert [len(e) for e in episodes] == [1, 3 + 1 + 3, 3]
    assert [e.metadata["seed"] for e in episodes] == [scene_seed(4, i) for i in range(3)]
    assert [e.metadata["recoveries"] for e in episodes] == [0, 1, 0]  # the hand closed on nothing and opened again
    assert {(e.metadata["operator"], e.metadata["device"]) for e in episodes} == {("Ada", "script")}
    assert not any(e.metadata["success"] for e in episodes)
    assert metadata["episodes"] == 3 and metadata == read_metadata(tmp_path)


def test_session_goes_on_and_ends_with_success(env: TabletopEnv, tmp_path: Path):
    record_session(Script([Command(STILL), Command(event="quit")]), env, tmp_path, episodes=2)
    record_session(Expert(env), env, tmp_path, episodes=2)
    record_session(Script(), env, tmp_path, episodes=2)  # nothing is left to do
    first, second = episodes_in(tmp_path)
    assert (first.metadata["outcome"], second.metadata["outcome"]) == ("interrupted", "success")
    assert second.metadata["seed"] == scene_seed(0, 1) and replays(env, second)
    assert len(WindowDataset(tmp_path)) == 1  # training takes successes only
    metadata = collect(tmp_path, "pick", 3, workers=1, cameras=("front",), image_size=32, action_mode="ee_delta")
    assert metadata["episodes"] == 3  # the scripted expert goes on where people stopped
    with pytest.raises(CourseError, match="was recorded with seed = 0, not 1"):
        record_session(Expert(env), env, tmp_path, episodes=4, seed=1)


def test_time_runs_out(env: TabletopEnv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sessions, "TIME_FOR_A_PERSON", 0.05)
    record_session(Script([Command(STILL)] * 9), env, tmp_path)
    (episode,) = episodes_in(tmp_path)
    assert (episode.metadata["outcome"], len(episode)) == ("timeout", 4)


def test_error_in_a_device_costs_nothing(env: TabletopEnv, tmp_path: Path):
    script = Script([Command(STILL), Command(STILL), RuntimeError("the cable came off")])
    with pytest.raises(RuntimeError, match="the cable came off"):
        record_session(script, env, tmp_path)
    (episode,) = episodes_in(tmp_path)
    assert (episode.metadata["outcome"], len(episode)) == ("interrupted", 2)


def test_full_disk_costs_nothing(env: TabletopEnv, tmp_path: Path):
    """What is finished is safe; what could not be written is still there when there is space again."""
    session = Session(env, tmp_path, seed=0, device="script")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        for size in (limits[0], 200):
            session.begin()
            session.step(STILL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))  # no file may be larger
            if size == 200:
                with pytest.raises(CourseError, match="cannot write the episode: .*; free space"):
                    session.keep()
            else:
                session.keep()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(episodes_in(tmp_path)) == 1
    session.keep()
    assert len(episodes_in(tmp_path)) == 2


def test_wrong_commands_are_refused(tmp_path: Path):
    for action in ([0.0] * 6, [np.nan] * 7, np.zeros((1, 7))):
        with pytest.raises(CourseError, match="is not 7 finite numbers"):
            Command(action)
    with pytest.raises(CourseError, match="unknown event 'stop'; choose one of: discard, finish, quit"):
        Command(event="stop")
    assert Command(np.full(7, 3)).action.tolist() == [1] * 7
    waypoints = TabletopEnv("pick", action_mode="waypoint", cameras=())
    with pytest.raises(CourseError, match="action mode 'ee_delta', not 'waypoint'"):
        record_session(Script(), waypoints, tmp_path)
    waypoints.close()
    with pytest.raises(CourseError, match="unknown device 'mouse'"):
        teleop(tmp_path, "mouse")


# The keyboard.


def test_keys_move_as_the_picture_shows(env: TabletopEnv):
    """Left is left in the front picture, and so on; what has no place in a picture is checked in the robot's frame."""
    for key, way in MOVES.items():
        keyboard = Keyboard(lambda seconds, key=key: key)
        env.reset(seed=1)
        view, robot = env.world.view("front"), env.world.robot
        before, pixel = robot.proprioception(), view.project(robot.tool_pose()[0])
        for _ in range(4):
            env.step(keyboard.read().action)
        u, v = view.project(robot.tool_pose()[0]) - pixel
        change = robot.proprioception() - before
        above = -Rotation.from_quat(robot.tool_pose()[1]).as_matrix()[:, 2]  # from the fingertips to the hand
        leans = {"lean left": above[1] < -0.1, "lean right": above[1] > 0.1, "lean toward": above[0] > 0.1,
                 "lean away": above[0] < -0.1}  # fmt: skip
        seen = {"left": u < -0.05, "right": u > 0.05, "toward": v > 0.02, "away": v < -0.02}
        axis, sign = DIRECTIONS[way]
        assert seen.get(way, True) and leans.get(way, True), way
        assert np.sign(change[axis]) == sign and np.abs(change[:6]).argmax() == axis, way
    # Counterclockwise from above is to the left of the one who turns.
    assert DIRECTIONS["turn left"] == (5, 1.0)


def test_terminal_records_and_survives_sigterm(tmp_path: Path):
    """The real command in a real terminal: keys move, the picture is drawn, a signal keeps what there is."""
    code = f"""
import sys
from pathlib import Path
from vla_course.collection.teleop import teleop
try:
    teleop(Path({str(tmp_path / "data")!r}), image_size=32)
except KeyboardInterrupt:
    sys.exit(130)
"""
    master, slave = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", code], stdin=slave, stdout=slave, stderr=slave)
    shown = read_until(master, "step 0 of 400")
    assert "▀" in shown and "[ ] grasped  [ ] lifted" in shown
    os.write(master, b"\x1b[D\x1b[1;5Z3d ")  # arrow left; no key of ours; large steps, right; close: three steps
    read_until(master, "step 5 of 400; gripper closed")
    os.write(master, b"\r")
    read_until(master, "1 episodes kept, step 0")
    os.write(master, b"?2w.")
    read_until(master, "step 2 of 400")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    os.close(slave)
    os.close(master)
    first, second = episodes_in(tmp_path / "data")
    assert (first.metadata["outcome"], second.metadata["outcome"]) == ("failure", "interrupted")
    expected = [[0, -0.4, 1], [0, 1, 1], [0, 0, -1], [0, 0, -1], [0, 0, -1]]
    np.testing.assert_allclose(first.steps["action"][:, [0, 1, 6]], expected)
    np.testing.assert_allclose(second.steps["action"][:, [0, 1, 6]], [[-0.4, 0, 1], [0, 0, 1]])


def read_until(terminal: int, words: str) -> str:
    """What a program draws in its terminal, up to some words; 60 s at most."""
    shown, end = "", time.monotonic() + 60
    while words not in shown:
        ready, _, _ = select.select([terminal], [], [], max(0.0, end - time.monotonic()))
        assert ready, shown[-2000:]
        shown += os.read(terminal, 1 << 16).decode(errors="replace")
    return shown


def test_no_terminal_no_keys(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(CourseError, match="the standard input is no terminal"), terminal_keys():
        pass


def test_half_blocks_are_the_picture():
    picture = np.random.default_rng(0).integers(0, 256, (8, 5, 3), dtype=np.uint8)
    cells = re.findall(r"\x1b\[38;2;(\d+);(\d+);(\d+)m\x1b\[48;2;(\d+);(\d+);(\d+)m▀", half_blocks(picture))
    rows = np.array(cells, dtype=np.uint8).reshape(4, 5, 2, 3).transpose(0, 2, 1, 3)
    np.testing.assert_array_equal(rows.reshape(8, 5, 3), picture)
    assert half_blocks(np.zeros((640, 640, 3), np.uint8), columns=80, rows=24).count("\n") < 24


# The gamepad: SDL's own virtual controller, which is a pad in everything but plastic.


@pytest.fixture
def sdl(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable]:
    """A function that sets an axis or a button of a virtual pad."""
    pygame = pytest.importorskip("pygame", reason="pygame-ce is not installed")
    libraries = list(Path(pygame.__file__).parent.parent.glob("pygame_ce.libs/libSDL2-2*"))
    if not libraries:
        pytest.skip("this build of pygame-ce does not bring its SDL in a place that the test knows")
    for name in ("SDL_VIDEODRIVER", "SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS"):
        monkeypatch.delenv(name, raising=False)
    library = ctypes.CDLL(str(libraries[0]))
    library.SDL_JoystickFromInstanceID.restype = ctypes.c_void_p
    library.SDL_JoystickSetVirtualAxis.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int16]
    library.SDL_JoystickSetVirtualButton.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint8]
    os.environ |= {"SDL_VIDEODRIVER": "dummy", "SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS": "1"}
    from pygame._sdl2 import controller

    pygame.display.init()
    controller.init()
    index = library.SDL_JoystickAttachVirtual(1, 6, 21, 0)
    names = [n.removeprefix("CONTROLLER_BUTTON_").lower() for n in dir(pygame) if n.startswith("CONTROLLER_BUTTON_")]

    def set(name: str, value: float) -> None:
        pad = library.SDL_JoystickFromInstanceID(controller.Controller(index).id)
        if name in names:
            library.SDL_JoystickSetVirtualButton(pad, getattr(pygame, f"CONTROLLER_BUTTON_{name.upper()}"), int(value))
        else:
            code = getattr(pygame, f"CONTROLLER_AXIS_{name.upper()}")
            library.SDL_JoystickSetVirtualAxis(pad, code, round(value * 32767))

    set.detach = lambda: library.SDL_JoystickDetachVirtual(index)
    yield set
    set.detach()
    pygame.quit()


def test_gamepad(sdl: Callable):
    pad = Gamepad()
    for name in ("leftx", "lefty", "rightx", "righty"):
        sdl(name, 0.1)  # sticks never rest at 0
    assert pad.read() is None
    sdl("leftx", -1)  # left
    sdl("righty", -0.575)  # up, half of what is beyond the dead zone
    np.testing.assert_allclose(pad.read().action, [0, -0.4, 0.2, 0, 0, 0, 1], atol=1e-4)
    np.testing.assert_allclose(pad.read().action, [0, -0.4, 0.2, 0, 0, 0, 1], atol=1e-4)  # held
    for name in ("leftx", "righty"):
        sdl(name, 0)
    for button, closed in (("a", -1), ("a", 1)):
        sdl(button, 1)
        assert pad.read().action.tolist() == [0, 0, 0, 0, 0, 0, closed]
        sdl(button, 0)
        assert pad.read() is None
    sdl("dpad_up", 1)
    np.testing.assert_allclose(pad.read().action, [0, 0, 0, 0, -0.4, 0, 1], atol=1e-6)  # away
    sdl("dpad_up", 0)
    for button, event in (("start", "finish"), ("back", "discard"), ("x", "quit")):
        sdl(button, 1)
        assert pad.read().event == event
        sdl(button, 0)
    with pytest.raises(CourseError, match="the pad has no button 'circle'"):
        Gamepad(GamepadMap(gripper="circle"))
    sdl.detach()
    with pytest.raises(CourseError, match="the gamepad was disconnected"):
        pad.read()
    with pytest.raises(CourseError, match="no gamepad is connected"):
        Gamepad()


def test_missing_libraries_are_named(env: TabletopEnv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("pygame", "rosbags.highlevel"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(CourseError, match="pip install pygame-ce"):
        Gamepad()
    with pytest.raises(CourseError, match="pip install rosbags"):
        import_bags([tmp_path], tmp_path / "data", MAP)


# Kinesthetic teaching.


@pytest.mark.parametrize("robot", ROBOTS)
def test_arm_gives_way_and_weighs_nothing(robot: str):
    world = World(robot)
    start = world.robot.proprioception()
    arm = CompliantArm(world)
    for _ in range(10):
        world.tick()
    np.testing.assert_allclose(world.robot.proprioception(), start, atol=1e-4)  # nobody holds it, it stays
    arm.push(np.array([0.0, 5.0, 0.0]), np.zeros(3))
    for _ in range(5):
        world.tick()
    assert world.robot.proprioception()[1] > start[1] + 0.05  # half a kilogram moves it
    arm.lead(np.array([0.5, 0.1, 0.2]), orientation(np.array([0, 0, 0.5])))
    for _ in range(20):
        world.tick()
    there = world.robot.proprioception()
    np.testing.assert_allclose(there[:3], [0.5, 0.1, 0.2], atol=0.01)
    np.testing.assert_allclose(there[3:6], [0, 0, 0.5], atol=0.1)  # what the friction of the joints leaves over
    arm.release()
    world.reset(Scene((), 0, None, ""))
    for _ in range(5):
        world.tick()
    np.testing.assert_allclose(world.robot.proprioception(), start, atol=2e-3)  # an arm as before
    world.close()


def test_taught_by_hand(env: TabletopEnv, tmp_path: Path):
    """A hand pulls the arm along the expert's path; what the robot then does alone picks the object up, every time."""
    teacher = Kinesthetic(env, lambda w: along(path_through(w.robot.proprioception(), env.task.expert(w))))
    record_session(teacher, env, tmp_path, episodes=3, seed=2)
    for episode in episodes_in(tmp_path):
        assert episode.metadata["outcome"] == "success" and episode.metadata["device"] == "kinesthetic"
        assert replays(env, episode)
    with pytest.raises(CourseError, match="the guide ended before the arm moved"):
        teach(teacher._copy, lambda arm, seconds: None)
    teacher.close()


# Poses from a VR controller.

pose_numbers = st.floats(-5, 5, width=32)
quaternions = st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1)


@given(st.integers(0, 2**32 - 1), st.floats(0, 1e9), st.tuples(*[pose_numbers] * 3), quaternions, st.integers(0, 31))
def test_packets_come_back(sequence, seconds, position, quaternion, buttons):
    unit = np.array(quaternion) / np.linalg.norm(quaternion)
    packet = unpack(Packet(sequence, seconds, np.array(position), unit, buttons).pack())
    assert (packet.sequence, packet.time, packet.buttons) == (sequence, seconds, buttons)
    np.testing.assert_array_equal(packet.position, position)
    np.testing.assert_allclose(packet.orientation, unit, atol=1e-7)


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=60), st.binary(min_size=41, max_size=41).map(lambda rest: b"VLA1" + rest)))
def test_anything_else_is_no_packet(datagram: bytes):
    packet = unpack(datagram)
    if packet is not None:
        assert np.isfinite(packet.position).all() and abs(np.linalg.norm(packet.orientation) - 1) <= 0.01


def test_packet_layout():
    """The bytes are those of the documentation, put together by hand."""
    by_hand = b"VLA1" + (7).to_bytes(4, "little") + struct.pack("<d", 1.5)
    by_hand += b"".join(struct.pack("<f", x) for x in (0.1, 0.2, 0.3, 0, 0, 0, 1)) + bytes([CLUTCH + GRIPPER])
    assert len(by_hand) == 45
    assert Packet(7, 1.5, np.array([0.1, 0.2, 0.3]), np.array([0, 0, 0, 1]), 3).pack() == by_hand


@pytest.fixture(scope="module")
def shown(env: TabletopEnv) -> tuple[np.ndarray, np.ndarray]:
    """What the expert does in the first scene: commanded poses (T + 1, 6), gripper (T,)."""
    expert = ClosedLoopExpert(env)
    env.reset(seed=scene_seed(0, 0))
    expert.reset()
    poses, gripper, over = [env.commanded_pose], [], False
    while not over:
        action = expert.act()
        _, _, over, _, info = env.step(action)
        poses.append(env.commanded_pose)
        gripper.append(action[6])
    assert info["success"]
    return np.array(poses), np.array(gripper)


def recorded_stream(poses: np.ndarray, gripper: np.ndarray, rng: np.random.Generator, scale: float = 1.0) -> list[list]:
    """The packets of a hand that shows these poses at 90 Hz, trembling, by control period.

    Some are lost (10%), late (5%), doubled (5%) or damaged (5%).
    """
    ticks = np.arange(len(poses)) / 10
    times = np.arange(int(ticks[-1] * 90) + 1) / 90
    to_headset = HEADSET_TO_ROBOT.inv()
    shifts = np.column_stack([np.interp(times, ticks, column) for column in (poses[:, :3] - poses[0, :3]).T])
    shifts = shifts + rng.normal(scale=0.0003, size=shifts.shape)
    turns = Rotation.from_euler("xyz", poses[:, 3:]) * Rotation.from_euler("xyz", poses[0, 3:]).inv()
    turns = to_headset * Slerp(ticks, turns)(times) * to_headset.inv()
    at_first = Rotation.from_euler("xyz", [0.3, -0.2, 0.9])  # however the person holds the controller
    periods: list[list] = [[] for _ in range(len(poses))]
    for i, seconds in enumerate(times):
        period = int(seconds * 10 + 1e-9)
        closed = gripper[min(period, len(gripper) - 1)] < 0
        position = np.array([0.1, 1.2, -0.3]) + to_headset.apply(shifts[i]) / scale
        number = (2**32 - 20 + i) % 2**32  # it passes zero on the way
        datagram = Packet(
            number, 100 + seconds, position, (turns[i] * at_first).as_quat(), CLUTCH + GRIPPER * closed
        ).pack()
        luck = rng.random() if i else 1.0
        if luck < 0.10:
            continue
        later = period + (2 if luck < 0.15 else 0)
        periods[min(later, len(periods) - 1)].append(datagram)
        if 0.15 < luck < 0.20:
            periods[period].append(datagram)
        if 0.20 < luck < 0.25:
            periods[period].append(datagram[:30] + rng.bytes(int(rng.integers(20))))
    return periods


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_stream_of_poses(env: TabletopEnv, shown, tmp_path: Path, scale: float):
    periods = recorded_stream(*shown, np.random.default_rng(0), scale)
    # Where the hand stays at the end, until the robot has caught up; then the button "finish".
    last = unpack(periods[-1][-1])
    rest = [
        Packet(last.sequence + 500 + k, last.time, last.position, last.orientation, last.buttons) for k in range(12)
    ]
    rest.append(Packet(last.sequence + 600, last.time, last.position, last.orientation, FINISH))
    source = iter([*periods, *([packet.pack()] for packet in rest)])
    device = PoseStream(env, lambda: next(source), scale)
    record_session(device, env, tmp_path)
    (episode,) = episodes_in(tmp_path)
    assert episode.metadata["outcome"] == "success" and replays(env, episode)
    assert device.lost > 5 and device.late > 5 and device.malformed > 3


def at(sequence: int, position=(0.0, 0.0, 0.0), buttons: int = CLUTCH, seconds: float | None = None) -> bytes:
    seconds = sequence * 0.01 if seconds is None else seconds
    return Packet(sequence, seconds, np.array(position), np.array([0, 0, 0, 1.0]), buttons).pack()


def follow(env: TabletopEnv, *periods: list[bytes]) -> tuple[list, PoseStream]:
    env.reset(seed=1)
    source = iter(periods)
    device, said = PoseStream(env, lambda: next(source)), []
    for _ in periods:
        command = device.read()
        said.append(command and (command.event or (command.action[:3].astype(float) * POSITION_STEP).round(4).tolist()))
        if command and command.action is not None:
            env.step(command.action)
    return said, device


def test_headset_axes_and_clutch(env: TabletopEnv):
    # Right, up and toward the person are the robot's +y, +z and +x.
    for shift, moved in (((0.02, 0, 0), [0, 0.02, 0]), ((0, 0.02, 0), [0, 0, 0.02]), ((0, 0, 0.02), [0.02, 0, 0])):
        assert follow(env, [at(1)], [at(2, shift)])[0] == [None, moved]
    # The hand goes back without the clutch, and the robot does not.
    said, _ = follow(env, [at(1)], [at(2, (0.02, 0, 0))], [at(3, (0.5, 0, 0), 0)], [at(4)], [at(5, (0.01, 0, 0))])
    assert said == [None, [0, 0.02, 0], None, None, [0, 0.01, 0]]
    # A way that is too long for one period is gone in several.
    said, _ = follow(env, [at(1)], [at(2, (0, 0.08, 0))], [at(3, (0, 0.08, 0))], [at(4, (0, 0.08, 0))])
    assert said == [None, [0, 0, 0.05], [0, 0, 0.03], None]
    # A hand that was out of sight for a second may be anywhere: the clutch counts anew.
    assert follow(env, [at(1)], [at(2, (0, 0.5, 0), seconds=9.0)])[0] == [None, None]


def test_order_of_packets(env: TabletopEnv):
    ahead, behind = at(9, (0, 0.01, 0)), at(5, (0, 0.05, 0))
    said, device = follow(env, [at(4)], [ahead, behind, ahead], [])
    assert said == [None, [0, 0, 0.01], None] and (device.lost, device.late) == (4, 2)
    # After the largest number comes 0.
    said, device = follow(env, [at(2**32 - 1, seconds=1.0)], [at(0, (0.01, 0, 0), seconds=1.1)])
    assert said == [None, [0, 0.01, 0]] and device.late == 0
    # A sender that started again is heard after a while, and moves nothing at first.
    again = [at(k, (0, 0.3, 0)) for k in range(40)]
    said, device = follow(env, [at(1000)], again, [at(41, (0, 0.31, 0))])
    assert said == [None, None, [0, 0, 0.01]] and device.late == 29
    # A button counts when it goes down, not while it is held.
    held = [at(k, buttons=DISCARD) for k in (2, 3)]
    assert follow(env, [at(1)], held, [at(4, buttons=DISCARD)])[0] == [None, "discard", None]


def test_packets_through_the_network(env: TabletopEnv):
    receiver = UdpReceiver(port=0)
    with pytest.raises(CourseError, match=r"UDP port 127.0.0.1:\d+: .*; choose another port"):
        UdpReceiver(port=receiver.port)
    with pytest.raises(CourseError, match=r"UDP port 127.0.0.1:70000: .*0-65535.*; choose another port"):
        UdpReceiver(port=70000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in (at(1), b"hello", b"x" * 2000, at(2, (0, 0.02, 0))):
            sender.sendto(datagram, ("127.0.0.1", receiver.port))
    env.reset(seed=1)
    device = PoseStream(env, receiver)
    np.testing.assert_allclose(device.read().action, [0, 0, 0.4, 0, 0, 0, 1], atol=1e-5)
    assert device.malformed == 2
    assert device.read() is None  # returns though nobody sends
    receiver.close()
    with pytest.raises(CourseError, match="scale 0 is not above 0"):
        PoseStream(env, receiver, scale=0)


# ROS 2 recordings.

JOINTS = ("j1", "j2", "j3")
MAP = BagMap(
    robot="panda", task="pick", instruction="pick up the cube", command="/command", gripper="/gripper",
    joints="/joints", joint_names=JOINTS, cameras={"front": "/front", "wrist": "/wrist"}, pose="/pose",
    gripper_open=0.08, success=True, image_size=16,
)  # fmt: skip
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def write_bag(path: Path, topics: dict[str, tuple[str, list]], plugin: str = "SQLITE3") -> Path:
    """A real recording. `topics`: name to message type and (nanoseconds, message) pairs."""
    rosbag2 = pytest.importorskip("rosbags.rosbag2", reason="rosbags is not installed")
    with rosbag2.Writer(path, version=9, storage_plugin=rosbag2.StoragePlugin[plugin]) as writer:
        for topic, (kind, messages) in topics.items():
            connection = writer.add_connection(topic, kind, typestore=ros())
            for nanoseconds, message in messages:
                # Recorded later than stamped, as by a slow network: the stamp is what counts.
                delay = 0 if kind.startswith("std_msgs") or kind.endswith("Twist") else SECOND // 4
                writer.write(connection, nanoseconds + delay, ros().serialize_cdr(message, kind))
    return path


def ros(name: str | None = None):
    """ROS's message types, or the one that is called so."""
    return message_types().types[name] if name else message_types()


@functools.cache
def message_types():
    typesys = pytest.importorskip("rosbags.typesys", reason="rosbags is not installed")
    return typesys.get_typestore(typesys.Stores.ROS2_HUMBLE)


def header(nanoseconds: int):
    stamp = ros("builtin_interfaces/msg/Time")(sec=nanoseconds // SECOND, nanosec=nanoseconds % SECOND)
    return ros("std_msgs/msg/Header")(stamp=stamp, frame_id="base")


def image(nanoseconds: int, color: tuple[int, int, int], compressed: bool):
    """A picture wider than high, with rows that are longer than their pixels; red and blue the other way round."""
    if compressed:
        file = io.BytesIO()
        Image.new("RGB", (20, 16), color).save(file, "png")
        data = np.frombuffer(file.getvalue(), np.uint8)
        return ros("sensor_msgs/msg/CompressedImage")(header=header(nanoseconds), format="png", data=data)
    rows = np.full((16, 64), 99, np.uint8)
    rows[:, :60] = np.tile(color[::-1], 20)
    return ros("sensor_msgs/msg/Image")(
        header=header(nanoseconds), height=16, width=20, encoding="bgr8", is_bigendian=0, step=64, data=rows.reshape(-1)
    )


def pose_message(nanoseconds: int, pose: np.ndarray):
    turn = Rotation.from_euler("xyz", pose[3:]) * Rotation.from_quat(POINTING_DOWN)
    point = ros("geometry_msgs/msg/Point")(*map(float, pose[:3]))
    quaternion = ros("geometry_msgs/msg/Quaternion")(*map(float, turn.as_quat()))
    stamped = ros("geometry_msgs/msg/Pose")(position=point, orientation=quaternion)
    return ros("geometry_msgs/msg/PoseStamped")(header=header(nanoseconds), pose=stamped)


def twist_message(velocity: np.ndarray):
    linear, angular = (ros("geometry_msgs/msg/Vector3")(*map(float, v)) for v in (velocity[:3], velocity[3:]))
    return ros("geometry_msgs/msg/Twist")(linear=linear, angular=angular)


def joints_message(nanoseconds: int, angles: dict[str, float]):
    positions, none = np.array(list(angles.values())), np.array([])
    return ros("sensor_msgs/msg/JointState")(
        header=header(nanoseconds), name=list(angles), position=positions, velocity=none, effort=none
    )


def color_at(nanoseconds: int) -> tuple[int, int, int]:
    """A color that tells when a picture was taken: one more red for every 4 ms, and again from the start."""
    return (nanoseconds - START) // 4_000_000 % 256, 100, 20


def bag_topics(poses: np.ndarray, gripper: np.ndarray, twist: bool) -> dict:
    """What a robot publishes that goes through these poses: each topic with its own rate and delay."""
    times = START + np.arange(len(poses)) * SECOND // 10
    early = int(times[0]) - SECOND // 20
    end = int(times[-1]) + SECOND // 5
    grips = [*gripper, gripper[-1]]
    stamped = [(int(t), pose_message(int(t), p)) for t, p in zip(times, poses, strict=True)]
    if twist:
        turns = (Rotation.from_euler("xyz", poses[1:, 3:]) * Rotation.from_euler("xyz", poses[:-1, 3:]).inv()).as_euler(
            "xyz"
        )
        velocities = 10 * np.column_stack([np.diff(poses[:, :3], axis=0), turns])
        command = (
            "geometry_msgs/msg/Twist",
            [(int(t), twist_message(v)) for t, v in zip(times, [*velocities, np.zeros(6)], strict=True)],
        )
    else:
        command = "geometry_msgs/msg/PoseStamped", stamped
    float64, boolean = ros("std_msgs/msg/Float64"), ros("std_msgs/msg/Bool")
    hand = [(int(t), float64(0.08 if g > 0 else 0.0)) for t, g in zip(times, grips, strict=True)]
    if twist:
        hand = [(int(t), boolean(bool(g > 0))) for t, g in zip(times, grips, strict=True)]
    front, wrist, joints = (range(early, end, step) for step in (SECOND // 30, SECOND // 13, SECOND // 50))
    return {
        "/command": command,
        "/gripper": ("std_msgs/msg/Bool" if twist else "std_msgs/msg/Float64", hand),
        "/pose": ("geometry_msgs/msg/PoseStamped", stamped),
        "/front": ("sensor_msgs/msg/Image", [(t, image(t, color_at(t), False)) for t in front]),
        "/wrist": ("sensor_msgs/msg/CompressedImage", [(t, image(t, color_at(t), True)) for t in wrist]),
        "/joints": (
            "sensor_msgs/msg/JointState",
            [(t, joints_message(t, {"finger": 9.0, "j3": 3.0, "j1": (t - START) / SECOND, "j2": 2.0})) for t in joints],
        ),
    }  # fmt: skip


@pytest.mark.parametrize(("plugin", "twist"), [("SQLITE3", False), ("MCAP", True)])
def test_ros_recording(env: TabletopEnv, shown, tmp_path: Path, plugin: str, twist: bool):
    """A recording of what the expert did becomes an episode whose actions do it again."""
    poses, gripper = shown
    bag = write_bag(tmp_path / "bag", bag_topics(poses, gripper, twist), plugin)
    mapping = BagMap(**{**vars(MAP), "gripper_open": 1.0}) if twist else MAP
    metadata = import_bags([bag, bag], tmp_path / "data", mapping)
    assert metadata["episodes"] == 2 and metadata["cameras"] == ["front", "wrist"]
    first, second = episodes_in(tmp_path / "data")
    assert len(first) == len(gripper) and first.instruction == "pick up the cube"
    assert (first.metadata["outcome"], first.metadata["recording"]) == ("success", "bag")
    np.testing.assert_array_equal(first.steps["action"], second.steps["action"])
    np.testing.assert_allclose(first.steps["state"][:, :6], poses[:-1], atol=1e-6)
    np.testing.assert_array_equal(first.steps["state"][:, 6], gripper)
    env.reset(seed=scene_seed(0, 0))
    for action in first.steps["action"]:
        *_, info = env.step(action)
    assert info["success"]
    # At each step, the newest of every topic, and nothing from the future.
    for i in range(len(first)):
        now = START + i * SECOND // 10
        for camera, step in (("front", SECOND // 30), ("wrist", SECOND // 13)):
            taken = START - SECOND // 20 + (now - START + SECOND // 20) // step * step
            np.testing.assert_allclose(first.frames[camera][i][8, 8], color_at(taken), atol=4)  # JPEG
            assert 0 <= now - taken < step
        taken = START - SECOND // 20 + (now - START + SECOND // 20) // (SECOND // 50) * (SECOND // 50)
        np.testing.assert_allclose(first.steps["joints"][i], [(taken - START) / SECOND, 2, 3], atol=1e-5)
    batch = WindowDataset(tmp_path / "data", chunk=4, every_step=True)[3]
    assert batch["observation.images.wrist"].shape == (3, 16, 16) and "target_pixel" not in batch


def test_ros_poses_that_are_too_far_are_caught_up(tmp_path: Path):
    """A jump of 12 cm takes three actions, and none of it is lost."""
    poses = np.tile([0.4, 0.0, 0.2, 0.0, 0.0, 0.0], (6, 1))
    poses[2:, 0] += 0.12
    bag = write_bag(tmp_path / "bag", bag_topics(poses, np.ones(5), twist=False))
    import_bags([bag], tmp_path / "data", MAP)
    (episode,) = episodes_in(tmp_path / "data")
    np.testing.assert_allclose(episode.steps["action"][:, 0] * POSITION_STEP, [0, 0.05, 0.05, 0.02, 0], atol=1e-6)


def test_ros_old_velocities_do_not_count(tmp_path: Path):
    """A robot stops when its velocity command falls silent; so do the actions."""
    poses = np.tile([0.4, 0.0, 0.2, 0.0, 0.0, 0.0], (12, 1))
    topics = bag_topics(poses, np.ones(11), twist=True)
    kind, messages = topics["/command"]
    turning = twist_message(np.array([0.1, 0, 0, 0, 0, 1.0]))
    topics["/command"] = kind, [(messages[0][0], turning), messages[-1]]
    bag = write_bag(tmp_path / "bag", topics)
    import_bags([bag], tmp_path / "data", BagMap(**{**vars(MAP), "gripper_open": 1.0}))
    (episode,) = episodes_in(tmp_path / "data")
    expected = np.zeros((11, 7))
    expected[:, 6], expected[:5, 0], expected[:5, 5] = 1, 0.1 / 10 / POSITION_STEP, 1.0 / 10 / ROTATION_STEP
    np.testing.assert_allclose(episode.steps["action"], expected, atol=1e-6)


def test_ros_errors(tmp_path: Path):
    poses = np.tile([0.4, 0.0, 0.2, 0.0, 0.0, 0.0], (4, 1))
    topics = bag_topics(poses, np.ones(3), twist=False)
    bag = write_bag(tmp_path / "bag", topics)

    def message(where: Path = bag, **changes: object) -> str:
        with pytest.raises(CourseError) as error:
            import_bags([where], tmp_path / "data", BagMap(**{**vars(MAP), **changes}))
        assert "\n" not in str(error.value) and not (tmp_path / "data").exists()
        return str(error.value)

    assert "unknown topic for command" in message(command="/nothing") and "/front" in message(command="/nothing")
    assert "topic '/front' has type sensor_msgs/msg/Image, which cannot be command" in message(command="/front")
    assert "unknown joint in topic '/joints' 'j9'" in message(joint_names=("j1", "j9"))
    assert "is not a readable ROS 2 recording" in message(tmp_path / "missing")
    moments = [t + 9 * SECOND for t, _ in topics["/pose"][1]]
    late = {**topics, "/pose": (topics["/pose"][0], [(t, pose_message(t, poses[0])) for t in moments])}
    assert "its topics have less than 0.1 s in common" in message(write_bag(tmp_path / "late", late))
    silent = {**topics, "/gripper": (topics["/gripper"][0], [])}
    assert "topic '/gripper' has no messages" in message(write_bag(tmp_path / "silent", silent))
    database = next(bag.glob("*.db3"))
    database.write_bytes(database.read_bytes()[:5000])
    assert "is not a readable ROS 2 recording" in message()


def test_ros_map_is_read(tmp_path: Path):
    text = """
robot = "panda"
task = "pick"
instruction = "pick up the cube"
success = true
command = "/command"
gripper = "/gripper"
gripper_open = 0.08
pose = "/pose"
joints = "/joints"
joint_names = ["j1", "j2", "j3"]
image_size = 16

[cameras]
front = "/front"
wrist = "/wrist"
"""
    path = tmp_path / "map.toml"
    path.write_text(text)
    assert read_map(path) == MAP
    path.write_text(text.replace("robot =", "robott ="))
    with pytest.raises(CourseError, match="unknown key in .* 'robott'"):
        read_map(path)
    path.write_text(text.replace('task = "pick"', ""))
    with pytest.raises(CourseError, match="lacks task"):
        read_map(path)
    path.write_text(text.replace("gripper_open = 0.08", "gripper_open = 0.0"))
    with pytest.raises(CourseError, match="gripper_open and gripper_closed are both 0.0"):
        read_map(path)
    path.write_text(text.replace('["j1", "j2", "j3"]', '"j1"'))
    with pytest.raises(CourseError, match="joint_names = 'j1'; give a list"):
        read_map(path)
    path.write_text("robot = ")
    with pytest.raises(CourseError, match="is not a readable TOML file"):
        read_map(path)
