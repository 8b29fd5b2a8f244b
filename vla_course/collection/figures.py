"""The figures of each episode of a data set, and what to do about those that stand out."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vla_course.collection.scripted import make_env
from vla_course.data import quality
from vla_course.data.episodes import FRAME_FOLDERS, REMEDY
from vla_course.data.files import read_file
from vla_course.data.pictures import decode_picture
from vla_course.data.segments import active_rows, durations, gripper_segments, idle_seconds, without_idle
from vla_course.errors import CourseError
from vla_course.sim.env import ACTION_MODES, TabletopEnv
from vla_course.sim.robots import ROBOTS
from vla_course.sim.tasks import TASKS

COMPARABLE = 8  # episodes of a task, from which on they are compared with each other
ROUGHER, LONGER = 1.0, 1.5  # by how much an episode must differ from its task's median, beside being an outlier
HIDDEN = 0.2  # of the pixels of the picture that shows the target best: with fewer it counts as hidden
SATURATED = 0.2  # of the rows
RARE = 0.5  # of the mean number of episodes of a task

TRIM = 'trim with "vla-course inspect DIR --trim OUT"'
DROP = 'delete its folder, then run "vla-course verify DIR --repair"'
# What is said once for a task where it holds for most of its episodes.
USUAL = {
    "idle": f"pause for half a second or more; {TRIM}",
    "twin": "say and do the same as another one; record more different scenes",
    "unseen": "begin with the target out of sight; move the camera, unless the task hides it on purpose",
    "outside": "leave the target outside the front picture for most of the time; move the camera",
    "hidden": "hide the target for most of the time; record another camera too",
}


@dataclass(frozen=True)
class Figures:
    """What was measured of one episode. None stands for what cannot be measured there.

    Attributes:
        name: its folder.
        task, robot, instruction, success: its labels.
        rows: how many actions it has.
        seconds: its duration.
        idle_start, idle_inside, idle_end: seconds in which nothing happens; see `vla_course.data.segments`.
        noise: how much it was disturbed on purpose.
        path: of the tool, metres.
        path_ratio: path over the straight lines between the places where the gripper opens or closes.
        jerk: log dimensionless jerk, without pauses, the higher the smoother; only of control at a fixed rate.
        in_picture: share of the rows in which the target is inside the front picture.
        hidden: share of the rows in which something else hides it there.
        hidden_at_start: whether it is outside or hidden in the first picture.
    """

    name: str
    task: str
    robot: str
    instruction: str
    success: bool | None
    rows: int
    seconds: float
    idle_start: float
    idle_inside: float
    idle_end: float
    noise: float
    path: float
    path_ratio: float | None
    jerk: float | None
    in_picture: float | None
    hidden: float | None
    hidden_at_start: bool


class Examiner:
    """Measures the episodes of one data set; `close` it at the end.

    Args:
        metadata: of the data set.
    """

    def __init__(self, metadata: Mapping[str, object]):
        self.metadata, self.mode = metadata, metadata.get("action_mode", "unknown")
        self._environments: dict[tuple[str, str], TabletopEnv] = {}

    def figures(self, folder: Path, labels: Mapping[str, object], steps: Mapping[str, np.ndarray]) -> Figures:
        """Measure one episode.

        Args:
            folder: the episode's.
            labels: from `read_labels`.
            steps: from `read_steps`.

        Raises:
            CourseError: its states or times are not as `active_rows` needs them, or its body ids are damaged.
        """
        try:
            active, seconds = active_rows(steps, self.mode), durations(steps["timestamp"])
        except CourseError as error:
            raise CourseError(f"{folder.name}: {error}") from error
        idle, keep = idle_seconds(active, seconds), without_idle(active, seconds)
        position = steps["state"][:, :3]
        stops = [part.start for part in gripper_segments(steps.get("executed", steps["action"])[:, -1])[1:]]
        ratio = quality.path_ratio(position, stops)
        steady = self.mode != "waypoint" and np.ptp(seconds) < 0.1 * seconds.mean()
        jerk = quality.log_dimensionless_jerk(position[keep], seconds.mean()) if steady else None
        inside = quality.in_picture(steps["target_pixel"]) if "target_pixel" in steps else None
        share = self._visible(folder, labels, len(seconds))
        starts_hidden = (inside is not None and not inside[0]) or (share is not None and share[0] < HIDDEN)
        return Figures(
            name=folder.name,
            **{name: labels[name] for name in ("task", "robot", "instruction", "success")},
            rows=len(seconds),
            seconds=round(float(seconds.sum()), 3),
            **{f"idle_{where}": round(value, 3) for where, value in idle.items()},
            noise=float(labels.get("noise", 0.0)),
            path=round(quality.path_length(position), 4),
            path_ratio=ratio and round(ratio, 3),
            jerk=jerk and round(jerk, 3),
            in_picture=None if inside is None else round(float(inside.mean()), 3),
            hidden=None if share is None else round(float((share < HIDDEN).mean()), 3),
            hidden_at_start=bool(starts_hidden),
        )

    def action_limits(self, figures: Figures) -> tuple[np.ndarray, np.ndarray] | None:
        """Smallest and largest action, (D,) each; None where an episode is not of this simulator."""
        env = self._env(figures.task, figures.robot)
        return env and (env.action_space.low, env.action_space.high)

    def close(self) -> None:
        """Free the simulator."""
        for env in self._environments.values():
            env.close()

    def _visible(self, folder: Path, labels: Mapping[str, object], rows: int) -> np.ndarray | None:
        """The target's visible share, where body ids of the front camera were recorded in the simulator."""
        recorded = "front" in self.metadata.get("cameras", ()) and "segmentation" in self.metadata.get("modalities", ())
        env = self._env(labels["task"], labels["robot"]) if recorded and isinstance(labels["seed"], int) else None
        if env is None:
            return None
        env.reset(seed=labels["seed"])  # the same scene has the same body ids
        where = FRAME_FOLDERS["front_segmentation"]
        names = [f"{where}/frame_{i:04d}.png" for i in range(rows)]
        try:
            pictures = [decode_picture(read_file(folder, name), name, "front_segmentation") for name in names]
        except ValueError as error:
            raise CourseError(f"{folder.name}: {error}; {REMEDY}") from error
        return quality.visible_share(np.stack(pictures), env.world.bodies[env.world.scene.target])

    def _env(self, task: str, robot: str) -> TabletopEnv | None:
        """Where an episode was recorded, if that was in this simulator."""
        if task not in TASKS or robot not in ROBOTS or self.mode not in ACTION_MODES:
            return None
        if (task, robot) not in self._environments:
            self._environments[task, robot] = make_env(task, {**self.metadata, "robot": robot, "cameras": ()})
        return self._environments[task, robot]


def advice(figures: Sequence[Figures], found: Mapping[str, object]) -> list[str]:
    """What stands out, one line each: what, where, and what to do. First the data set, then its episodes in order.

    Args:
        figures: of all episodes.
        found: "tasks", "coverage" and "duplicates", as in inspect.json.
    """
    lines = []
    for task, count in found["tasks"].items():
        if count["balance"] < RARE:
            lines.append(f"task {task}: has {count['episodes']} of {len(figures)} episodes; collect more of it")
        if 2 * count["successes"] < count["episodes"]:
            part = f"{count['successes']} of {count['episodes']}"
            lines.append(f"task {task}: {part} episodes succeeded; watch the failures, and record it again")
    for part in (found["coverage"] or [])[:-1]:  # the gripper is always at a limit
        if part["saturated"] > SATURATED:
            often = f"{part['saturated']:.0%} of the rows"
            lines.append(f"action {part['name']}: is at its limit in {often}, so it was cut off; move more slowly")
    twins = dict(found["duplicates"])
    rough = _stands_out(figures, "jerk", lambda value, median: median - value > ROUGHER)
    winding = _stands_out(figures, "path_ratio", lambda value, median: value > LONGER * median)
    said = [(f, kind, text) for f in figures for kind, text in _of_episode(f, rough, winding, twins)]
    often = Counter((task, kind) for task, kind, _ in {(f.task, kind, f.name) for f, kind, _ in said})
    usual = {key for key, n in often.items() if key[1] in USUAL and n > max(2, found["tasks"][key[0]]["episodes"] / 2)}
    for task, kind in sorted(usual):
        n, episodes = often[task, kind], found["tasks"][task]["episodes"]
        lines.append(f"task {task}: {n} of {episodes} episodes {USUAL[kind]}")
    return lines + [f"{f.name}: {text}" for f, kind, text in said if (f.task, kind) not in usual]


def _of_episode(
    f: Figures, rough: Mapping[str, float], winding: Mapping[str, float], twins: Mapping[str, str]
) -> list[tuple[str, str]]:
    """What stands out in one episode: kind and sentence."""
    said = []
    if f.idle_start >= f.seconds:
        said.append(("still", f"nothing happens in it; {DROP}"))
    else:
        for seconds, where in ((f.idle_start, "at the start"), (f.idle_inside, "inside"), (f.idle_end, "at the end")):
            if seconds:
                said.append(("idle", f"idle for {seconds:.1f} s {where}; {TRIM}"))
    if f.name in twins:
        said.append(("twin", f"says and does the same as {twins[f.name]}; {DROP}"))
    if f.name in rough:
        figure = f"log dimensionless jerk {f.jerk:.1f}, median {rough[f.name]:.1f}"
        said.append(("rough", f"is less smooth than others of its task ({figure}); record it again if the hand shook"))
    if f.name in winding:
        figure = f"{f.path_ratio:.1f} times the straight line, median {winding[f.name]:.1f}"
        said.append(("long", f"goes a long way round ({figure}); record it again if that is not part of the task"))
    if f.hidden_at_start:
        said.append(("unseen", "the target cannot be seen in the first front picture; move the camera or the arm"))
    elif f.in_picture is not None and f.in_picture < 0.5:
        outside = f"{1 - f.in_picture:.0%} of the rows"
        said.append(("outside", f"the target is outside the front picture in {outside}; move the camera"))
    elif f.hidden is not None and f.hidden > 0.5:
        said.append(("hidden", f"the target is hidden in {f.hidden:.0%} of the rows; record another camera too"))
    return said


def _stands_out(figures: Sequence[Figures], key: str, differs: Callable[[float, float], bool]) -> dict[str, float]:
    """Episodes whose figure is an outlier in their task, and differs enough to matter: name to the task's median.

    What was disturbed on purpose is not compared.
    """
    found = {}
    for task in {f.task for f in figures}:
        same = [f for f in figures if f.task == task and not f.noise and getattr(f, key) is not None]
        values = [getattr(f, key) for f in same]
        if len(values) >= COMPARABLE:
            median = float(np.median(values))
            for f, value, score in zip(same, values, quality.outliers(values), strict=True):
                if abs(score) > quality.OUTLIER and differs(value, median):
                    found[f.name] = median
    return found
