"""Results that the grader measures itself, in physics, from what a kernel handed over.

Nothing that the kernel says about a policy counts. It hands over weights (safetensors) or actions (npz, without
pickle): bytes that are read as numbers, checked, and tried in scenes that only the grader knows.
"""

import hashlib
import io
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vla_course.errors import CourseError, one_of
from vla_course.evaluation.statistics import SuccessRate, success_rate
from vla_course.seeds import scene_seed

LARGEST = 64 * 2**20  # bytes of a handed-in file, unpacked


@dataclass(frozen=True)
class Measure:
    """What a check cell's metadata `vla_course.measure` says.

    Attributes:
        kind: "policy": `file` holds the weights of a `VLAPolicy`, with config.json beside it in the solution's run.
            "actions": `file` holds an array `actions` (trials, T, 7) of waypoints for the scenes of `scenes.npz`,
            which the kernel finds in its working folder: `targets` (trials, 4), the object's x, y, z (m) and yaw (rad).
        file: what the check cell writes, relative to the working folder.
        task: of `vla_course.sim.tasks`.
        trials: scenes.
        steps: (success rate needed, points), from low to high.
    """

    kind: str
    file: str
    task: str
    trials: int
    steps: tuple[tuple[float, float], ...]

    @classmethod
    def from_metadata(cls, metadata: dict) -> "Measure":
        """Read it.

        Raises:
            CourseError: a field is missing, unknown, or of an unknown kind.
        """
        try:
            measure = cls(**{**metadata, "steps": tuple((float(rate), points) for rate, points in metadata["steps"])})
        except (TypeError, KeyError, ValueError) as error:
            raise CourseError(f"a measure needs kind, file, task, trials and steps, and has {metadata}") from error
        one_of("kind of measure", measure.kind, ("policy", "actions"))
        return measure

    @property
    def files(self) -> list[str]:
        """What to take out of the kernel's folder. The solution's config.json is that of every student."""
        beside = [str(Path(self.file).with_name("config.json"))] if self.kind == "policy" else []
        return [self.file, *beside]

    def points(self, rate: SuccessRate) -> float:
        """Points for a success rate."""
        return max([points for needed, points in self.steps if rate.rate >= needed], default=0)

    def wanted(self) -> str:
        """What earns points, as text."""
        return ", ".join(f"{rate:.0%} success: {points:g} points" for rate, points in self.steps)


def scenes(measure: Measure, seed: int) -> list[int]:
    """The seeds of the scenes of one grading run; the probes' inputs, which feedback shows, tell nothing of them."""
    own = int.from_bytes(hashlib.sha256(f"{seed} scenes".encode()).digest()[:8])
    return [scene_seed(own, index, test=True) for index in range(measure.trials)]


def write_scenes(measure: Measure, seed: int, path: Path) -> None:
    """What a kernel is told of the scenes, for kind "actions"."""
    from vla_course.sim.env import TabletopEnv

    env = TabletopEnv(measure.task, action_mode="waypoint", cameras=())
    targets = []
    for scene in scenes(measure, seed):
        env.reset(seed=scene)
        index = env.world.scene.target
        targets.append([*env.world.position(index), env.world.scene.objects[index].yaw])
    env.close()
    np.savez(path, targets=np.array(targets))


def measured(measure: Measure, handed_in: bytes | None, seed: int, solved: Path) -> SuccessRate:
    """Try what was handed in.

    Args:
        measure: what is asked.
        handed_in: the student's file.
        seed: the grading seed.
        solved: folder of what the solution handed in; for a policy, its config.json is taken.

    Raises:
        CourseError: it cannot be tried; the message is for the student.
    """
    if handed_in is None:
        raise CourseError(f"the file {measure.file} was not written; run the last line of the check")
    if measure.kind == "policy":
        return _policy(measure, handed_in, (solved / measure.files[-1]).read_bytes(), seed)
    return _actions(measure, _npz(handed_in, measure), seed)


def _policy(measure: Measure, weights: bytes, config: bytes, seed: int) -> SuccessRate:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    from vla_course.evaluation.rollouts import env_of, load_policy, rollout

    try:
        tensors = load(weights)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise CourseError(
            f"{measure.file} is not a safetensors file ({type(error).__name__}); use save_pretrained"
        ) from None
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values()):
        raise CourseError(f"{measure.file} holds weights that are not finite; look at the loss while training")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="grading-") as folder:
        Path(folder, "config.json").write_bytes(config)
        Path(folder, "model.safetensors").write_bytes(weights)
        try:
            policy = load_policy(Path(folder))
        except CourseError as error:
            raise CourseError(str(error).replace(folder, measure.file)) from None
    env, outcomes = env_of(policy, measure.task), []
    for scene in scenes(measure, seed):
        try:
            outcomes.append(rollout(policy, env, scene).success)
        except CourseError:  # an action that is not finite
            outcomes.append(False)
    env.close()
    return success_rate(outcomes)


def _npz(data: bytes, measure: Measure) -> np.ndarray:
    """The actions in an npz file, whose size is known before it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > LARGEST:
                raise CourseError(f"{measure.file} holds more than {LARGEST // 2**20} MB; hand in only the actions")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            actions = np.asarray(arrays["actions"], dtype=np.float64)
    except CourseError:
        raise
    except (ValueError, TypeError, KeyError, OSError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise CourseError(
            f"{measure.file} is not an npz file with an array of actions ({type(error).__name__})"
        ) from None
    if actions.ndim != 3 or actions.shape[0] != measure.trials or actions.shape[2] != 7 or actions.shape[1] > 20:
        raise CourseError(f"actions has the shape {actions.shape}; wanted is ({measure.trials}, T, 7) with T up to 20")
    return actions


def _actions(measure: Measure, actions: np.ndarray, seed: int) -> SuccessRate:
    from vla_course.sim.env import TabletopEnv

    env, outcomes = TabletopEnv(measure.task, action_mode="waypoint", cameras=()), []
    for scene, plan in zip(scenes(measure, seed), actions, strict=True):
        env.reset(seed=scene)
        success, done = False, not np.isfinite(plan).all()
        for action in plan:
            if done:
                break
            _, _, terminated, truncated, info = env.step(action)
            success, done = info["success"], terminated or truncated
        outcomes.append(success)
    env.close()
    return success_rate(outcomes)
