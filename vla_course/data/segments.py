"""Where a recording moves and where it waits: cut it into pieces, and drop what is idle.

A policy that learns from idle rows learns to wait. All functions work on rows, one for each action; a row is *active*
when the arm moves or is told to, when the gripper is at work, or when the row earned a reward.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from vla_course.data.description import COMPUTED, read_metadata
from vla_course.data.episodes import Episode, read_episode, write_episode
from vla_course.data.store import close_store, open_store, read_instructions, require_episodes
from vla_course.errors import CourseError, at_once

SPEED, TURN = 0.005, 0.05  # m/s and rad/s of the tool, above which it moves
GRIP = 0.1  # per second, of an opening between -1 and +1, likewise
DELTA, ANGLE = 0.005, 0.005  # of the largest action, and radians or metres: a command above that is one to move
WINDOW = 0.2  # seconds over which a motion must show, to be told from the noise of a sensor
GRIPPER_SECONDS = 0.4  # how long the gripper may need after it was told to open or close
PAUSE = 0.5  # seconds without activity that count as a pause


def durations(timestamp: np.ndarray) -> np.ndarray:
    """How long each row lasted: (T,) seconds.

    Args:
        timestamp: (T,) seconds at which each row began. Of the last row nobody knows the end: it is given the median.

    Raises:
        CourseError: the time does not run forward.
    """
    between = np.diff(timestamp.astype(np.float64))
    if (between <= 0).any():
        row = int(np.argmax(between <= 0)) + 1
        raise CourseError(f"timestamp {timestamp[row]:g} s of row {row} is not after the one before; mend the clock")
    return np.append(between, np.median(between) if len(between) else 0.0).round(6)


def active_rows(steps: Mapping[str, np.ndarray], action_mode: str) -> np.ndarray:
    """Which rows are active: (T,) bool.

    Args:
        steps: of an episode: "action", "state" (T, 7) and "timestamp"; "executed" and "reward" if there are.
        action_mode: of the data set; see `TabletopEnv`. In an unknown one only what moved counts, not what was told to.

    Raises:
        CourseError: there is no state or no time, or the state is something else than seven numbers.
    """
    for name, shape in (("state", (7,)), ("timestamp", ())):
        if name not in steps or steps[name].shape[1:] != shape:
            found = f"shape {steps[name].shape[1:]}" if name in steps else "no rows"
            raise CourseError(f"actions.json: {name!r} has {found}, not {shape}; without it nobody knows what moved")
    sent, state = steps.get("executed", steps["action"]), steps["state"].astype(np.float64)
    seconds = durations(steps["timestamp"])
    active = _moves(state, seconds)
    active |= _told_to_move(sent[:, :-1].astype(np.float64), action_mode)
    switches = np.flatnonzero(np.diff(sent[:, -1] > 0, prepend=state[0, 6] > 0))
    began = np.cumsum(seconds) - seconds
    for row in switches:
        active[row:] |= began[row:] - began[row] < GRIPPER_SECONDS
    return active | (steps.get("reward", np.zeros(len(sent))) != 0)


def _moves(state: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Whether the tool moves: in the row itself, and over `WINDOW` before or after it, so that noise is not motion."""
    usual = max(float(np.median(seconds)), 1e-3)
    n, rows = max(1, round(WINDOW / usual)), len(state)
    state, time = np.concatenate([state, state[-1:]]), np.append(0.0, np.cumsum(seconds))

    def faster(first: np.ndarray, last: np.ndarray, least: float) -> np.ndarray:
        """Whether the tool went from one row to another faster than what counts as still; it took `least` or more."""
        change, took = state[last] - state[first], np.maximum(time[last] - time[first], least)
        went = np.linalg.norm(change[:, :3], axis=1) > SPEED * took
        went |= np.abs(_wrap(change[:, 3:6])).max(axis=1) > TURN * took
        return went | (np.abs(change[:, 6]) > GRIP * took)

    here = np.arange(rows)
    after = faster(here, np.minimum(here + n, rows), n * usual)
    before = faster(np.maximum(here + 1 - n, 0), here + 1, n * usual)
    return faster(here, here + 1, 0.0) & (after | before)


def _told_to_move(sent: np.ndarray, action_mode: str) -> np.ndarray:
    if action_mode in ("ee_delta", "joint_delta"):
        return np.abs(sent).max(axis=1) > DELTA
    if action_mode in ("waypoint", "joint_position"):
        return np.abs(_wrap(np.diff(sent, axis=0, prepend=sent[:1]))).max(axis=1) > ANGLE
    return np.zeros(len(sent), bool)


def _wrap(angle: np.ndarray) -> np.ndarray:
    return (angle + np.pi) % (2 * np.pi) - np.pi


def _runs(flags: np.ndarray) -> list[range]:
    """The longest stretches of true rows."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [range(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def pauses(active: np.ndarray, seconds: np.ndarray, shortest: float = PAUSE) -> list[range]:
    """The stretches of rows in which nothing happens for long.

    Args:
        active: (T,) bool, from `active_rows`.
        seconds: (T,) how long each row lasted, from `durations`.
        shortest: seconds; what is shorter is no pause.
    """
    return [run for run in _runs(~active) if seconds[run].sum() > shortest - 1e-6]


def motion_segments(active: np.ndarray, seconds: np.ndarray, pause: float = 1.0) -> list[range]:
    """Cut a long recording where it pauses: the stretches of rows between the pauses.

    Args:
        active, seconds: as in `pauses`.
        pause: seconds; a person who shows a task hesitates for less, and between two tasks waits for longer.
    """
    return _runs(~_rows(pauses(active, seconds, pause), len(active)))


def gripper_segments(gripper: np.ndarray) -> list[range]:
    """Cut a demonstration where the gripper is told to open or close: reach, carry, retreat.

    Args:
        gripper: (T,) the last number of each action, above 0 open.
    """
    cuts = np.flatnonzero(np.diff(gripper > 0)) + 1
    return [range(int(a), int(b)) for a, b in zip([0, *cuts], [*cuts, len(gripper)], strict=True)]


def idle_seconds(active: np.ndarray, seconds: np.ndarray, shortest: float = PAUSE) -> dict[str, float]:
    """How long a recording pauses at its start, inside, and at its end; see `pauses`."""
    idle = {"start": 0.0, "inside": 0.0, "end": 0.0}
    for run in pauses(active, seconds, shortest):
        where = "start" if run.start == 0 else "end" if run.stop == len(active) else "inside"
        idle[where] += float(seconds[run].sum())
    return idle


def without_idle(active: np.ndarray, seconds: np.ndarray, shortest: float = PAUSE) -> np.ndarray:
    """Which rows to keep, so that no pause is left: (T,) bool. Every active row is kept; see `pauses`."""
    return ~_rows(pauses(active, seconds, shortest), len(active))


def _rows(runs: list[range], length: int) -> np.ndarray:
    chosen = np.zeros(length, bool)
    for run in runs:
        chosen[run] = True
    return chosen


def take_rows(episode: Episode, rows: np.ndarray | range) -> Episode:
    """The episode of some rows of another. Its time begins at 0 and runs without gaps.

    Args:
        episode: what they are taken from. Its label and its other metadata stay; check them where you cut a long
            recording into several tasks.
        rows: (T,) bool, or a range.

    Raises:
        CourseError: no row is left.
    """
    chosen = np.arange(len(episode))[rows]
    if len(chosen) == 0:
        raise CourseError(f"none of {len(episode)} rows is left of “{episode.instruction}”; choose at least one")
    steps = {name: column[chosen] for name, column in episode.steps.items()}
    if "timestamp" in steps:
        lasted = durations(episode.steps["timestamp"])[chosen]
        steps["timestamp"] = (np.cumsum(lasted) - lasted).astype(np.float32)
    frames = {name: [pictures[i] for i in chosen] for name, pictures in episode.frames.items()}
    metadata = {**episode.metadata, "rows_of_recording": len(episode)}
    return Episode(metadata, episode.instruction, steps, frames)


def trim(root: Path, out: Path, workers: int = 2) -> dict:
    """Write a copy of a data set without its idle rows; goes on where an earlier call was stopped.

    Episodes in which nothing ever happens are copied as they are. Pictures in color are compressed once more. An
    episode that was trimmed keeps its success label; "vla-course replay" tells whether it still holds.

    Args:
        root: the data set; it is not changed.
        out: folder of the copy.
        workers: processes.

    Returns:
        The metadata of the copy.

    Raises:
        CourseError: no data set, a damaged episode, or a folder that cannot be written.
    """
    at_once("--workers", workers)
    if out.resolve() == root.resolve():
        raise CourseError(f"{out}: a data set is not trimmed in place; choose another folder")
    metadata, folders = read_metadata(root), require_episodes(root)
    settings = {key: value for key, value in metadata.items() if key not in COMPUTED} | {"trimmed": PAUSE}
    open_store(out, settings, read_instructions(root))
    pairs = [(folder, out / "episodes" / folder.name) for folder in folders]
    mode = metadata.get("action_mode", "unknown")
    Parallel(n_jobs=workers, batch_size=8)(delayed(_trim_one)(a, b, mode) for a, b in pairs if not b.exists())
    return close_store(out)


def _trim_one(source: Path, target: Path, action_mode: str) -> None:
    episode = read_episode(source)
    try:
        keep = without_idle(active_rows(episode.steps, action_mode), durations(episode.steps["timestamp"]))
    except CourseError as error:
        raise CourseError(f"{source.name}: {error}") from error
    write_episode(take_rows(episode, keep) if keep.any() and not keep.all() else episode, target)
