"""Replay: send the recorded actions to the simulator again, and see whether they still do the task.

Whoever trains on a data set whose own actions do not do the task cannot succeed. A wrong frame of reference, a shifted
column or a wrong frame rate shows here at once, and in the training loss never.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from vla_course.collection.scripted import env_of_worker
from vla_course.data.episodes import read_labels, read_steps
from vla_course.data.store import read_metadata, require_episodes
from vla_course.errors import CourseError, at_once
from vla_course.sim.env import ACTION_MODES

ENOUGH = 0.98  # of the episodes that are labelled a success must succeed again


@dataclass(frozen=True)
class Replayed:
    """One episode, replayed.

    Attributes:
        name: its folder.
        labelled: whether the recording says that it succeeded; None where it does not say.
        success: whether the replay did.
        deviation: largest distance between the tool's recorded and replayed position, metres.
    """

    name: str
    labelled: bool | None
    success: bool
    deviation: float


@dataclass(frozen=True)
class ReplayResult:
    """A data set, replayed.

    Attributes:
        episodes: in their order.
    """

    episodes: list[Replayed]

    @property
    def outcomes(self) -> list[bool]:
        """Of the episodes that are labelled a success, whether each succeeded again."""
        return [episode.success for episode in self.episodes if episode.labelled]

    @property
    def passed(self) -> bool:
        """Whether at least 98% of them did."""
        return sum(self.outcomes) >= ENOUGH * len(self.outcomes)

    @property
    def deviation(self) -> float:
        """Largest of all episodes, metres; 0 where every one went as it was recorded."""
        return max(episode.deviation for episode in self.episodes)

    def __str__(self) -> str:
        words = {True: "a success", False: "a failure", None: "neither"}
        lines = [
            f"{e.name}: labelled {words[e.labelled]}, replayed to {words[e.success]}; the tool was up to "
            f"{e.deviation * 1000:.1f} mm from where it was recorded"
            for e in self.episodes
            if e.labelled not in (None, e.success)
        ]
        failures = [e for e in self.episodes if e.labelled is False]
        lines.append(
            f"{sum(self.outcomes)}/{len(self.outcomes)} successes succeed again, "
            f"{sum(not e.success for e in failures)}/{len(failures)} failures fail again; the tool was up to "
            f"{self.deviation * 1000:.1f} mm from where it was recorded"
        )
        return "\n".join(lines)


def replay(root: Path, workers: int = 2) -> ReplayResult:
    """Replay every episode of a data set open loop: from its seed, its actions and nothing else.

    What is sent is "executed" where that was recorded, else "action". All of it is sent, and the task must be done at
    the end.

    Args:
        root: the data set.
        workers: processes.

    Raises:
        CourseError: no data set, or a damaged episode; none is labelled a success; or it was not recorded in this
            simulator: an unknown task, robot or action mode, no seed, no states, actions of another length.
    """
    at_once("--workers", workers)
    metadata, folders = read_metadata(root), require_episodes(root)
    if metadata.get("action_mode") not in ACTION_MODES:
        raise CourseError(
            f"{root}: has action mode {metadata.get('action_mode')!r}, which the simulator does not know; "
            f"replay a data set that was recorded in one of: {', '.join(ACTION_MODES)}"
        )
    labels = [read_labels(folder) for folder in folders]
    if not any(label["success"] for label in labels):
        raise CourseError(f'{root}: no episode is labelled a success; see why with "vla-course inspect {root}"')
    # Nobody looks at pictures, so no camera draws them.
    world = {"action_mode": metadata["action_mode"], "variety": metadata.get("variety", {}), "cameras": []}
    work = (delayed(_replay_one)(*pair, world) for pair in zip(folders, labels, strict=True))
    parallel = Parallel(n_jobs=workers, return_as="generator", batch_size=4)
    return ReplayResult(list(tqdm(parallel(work), "replay", len(folders), unit="episode", leave=False)))


def _replay_one(folder: Path, labels: dict, world: dict) -> Replayed:
    steps = read_steps(folder)
    if not isinstance(labels["seed"], int) or "state" not in steps:
        raise CourseError(
            f"{folder.name}: has no seed or no states; only what was recorded in the simulator can replay"
        )
    env = env_of_worker(labels["task"], json.dumps({**world, "robot": labels["robot"]}))
    observation, _ = env.reset(seed=labels["seed"])
    tool = []
    for action in steps.get("executed", steps["action"]):
        tool.append(observation["state"][:3])
        observation, _, _, _, info = env.step(action)
    deviation = np.linalg.norm(np.array(tool) - steps["state"][:, :3], axis=1).max()
    return Replayed(folder.name, labels["success"], info["success"], float(deviation))
