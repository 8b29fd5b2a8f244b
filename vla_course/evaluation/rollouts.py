"""Let a policy act in physics, and write down what happened.

Besides the plain condition there are controls. A policy that does not look succeeds with a blank picture; one
that does not read picks the original target whatever it is told.
"""

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from joblib import Parallel, delayed
from safetensors import SafetensorError
from tqdm.auto import tqdm

from vla_course.data.windows import to_images
from vla_course.errors import CourseError, at_once, one_of
from vla_course.evaluation.statistics import SuccessRate, success_rate
from vla_course.models.policy import VLAPolicy
from vla_course.sim.cameras import CAMERAS
from vla_course.sim.env import TabletopEnv
from vla_course.sim.objects import GRASPABLE
from vla_course.sim.tasks import get_task
from vla_course.sim.world import Scene

FEW = 20  # trials that are not worth the start of a process
CONDITIONS = ("normal", "wrong_instruction", "blank_image", "held_out_phrasings")


@dataclass(frozen=True)
class Trial:
    """One episode of a policy.

    Attributes:
        seed: the scene.
        instruction: what the policy was told.
        success: whether the scene's own goal was reached, whatever the policy was told.
        named_success: whether the goal of the object that was named was reached.
        goal_conditions: name to bool, at the end.
        steps: actions taken.
        seconds: simulated time.
        waypoint_error: mean distance between the planned and the expert's waypoints for the named object, metres;
            None for a policy that has no waypoints.
        grip_force, table_force: largest seen after a step, newtons.
    """

    seed: int
    instruction: str
    success: bool
    named_success: bool
    goal_conditions: dict[str, bool]
    steps: int
    seconds: float
    waypoint_error: float | None
    grip_force: float
    table_force: float


@dataclass
class Evaluation:
    """Trials under one condition, in the order of their seeds."""

    condition: str
    trials: list[Trial] = field(default_factory=list)

    @property
    def rate(self) -> SuccessRate:
        """Successes at the scene's own goal."""
        return success_rate([t.success for t in self.trials])

    @property
    def named_rate(self) -> SuccessRate:
        """Successes at the goal of the object that was named."""
        return success_rate([t.named_success for t in self.trials])

    @property
    def waypoint_error(self) -> float | None:
        """Mean over the trials, metres; None for a policy that has no waypoints."""
        errors = [t.waypoint_error for t in self.trials if t.waypoint_error is not None]
        return float(np.mean(errors)) if errors else None

    def to_json(self) -> dict:
        """For reports: the success rates and means over trials."""
        conditions = [t.goal_conditions for t in self.trials]
        return {
            **self.rate.to_json(),
            "named_object": self.named_rate.to_json(),
            **({} if self.waypoint_error is None else {"mean_waypoint_error_m": round(self.waypoint_error, 4)}),
            "mean_seconds": round(float(np.mean([t.seconds for t in self.trials])), 2),
            "goal_conditions": {
                name: round(float(np.mean([c[name] for c in conditions if name in c])), 4)
                for name in dict.fromkeys(name for c in conditions for name in c)
            },
        }


def rollout(
    policy: VLAPolicy,
    env: TabletopEnv,
    seed: int,
    condition: str = "normal",
    instruction: str | None = None,
    film: list | None = None,
) -> Trial:
    """Let a policy act once: until the target's task is done, or what it was told is done, or the time is over.

    Args:
        policy: any policy with LeRobot's verbs.
        env: an environment as `env_of` makes it.
        seed: the scene.
        condition: one of `CONDITIONS`.
        instruction: tell it this, in place of the condition's sentence.
        film: a list to which a 256 x 256 picture is added before the first action and after each.

    Raises:
        CourseError: an unknown condition; an action that is not finite; an instruction of unknown words.
    """
    one_of("condition", condition, CONDITIONS)
    observation, info = env.reset(seed=seed)
    world = env.world
    scene, named, told_task, phrasing = world.scene, world.scene.target, env.task, world.scene.phrasing
    if condition == "wrong_instruction":
        named = another_object(scene, seed)
        if not env.task.renames:
            told_task = get_task("pick")
            phrasing = told_task.phrasings[seed % len(told_task.phrasings)]
    if condition == "held_out_phrasings":
        phrasing = env.task.held_out_phrasings[seed % len(env.task.held_out_phrasings)]
    instruction = instruction or scene.instruction(phrasing, target=named)
    told = replace(scene, target=named)
    world.scene = told
    wanted = told_task.expert(world) if env.action_mode == "waypoint" else None
    world.scene = scene
    policy.reset()
    policy.generator = torch.Generator().manual_seed(seed % 2**63)  # of what its decoder may draw
    forces, plan, done = [], [], False
    while not done:
        if film is not None:
            film.append(env.render())
        batch = to_batch(observation, instruction, blank=condition == "blank_image")
        action = policy.select_action(batch)[0].numpy()
        plan.append(action)
        observation, _, terminated, truncated, info = env.step(action)
        forces.append((info["grip_force"], info["table_force"]))
        world.scene = told
        named_success = all(told_task.conditions(world).values())
        world.scene = scene
        done = terminated or truncated or named_success
    if film is not None:
        film.append(env.render())
    grip, table = np.max(forces, axis=0)
    return Trial(
        seed=seed,
        instruction=instruction,
        success=info["success"],
        named_success=named_success,
        goal_conditions=info["goal_conditions"],
        steps=len(plan),
        seconds=info["seconds"],
        waypoint_error=None if wanted is None else _distance(np.array(plan), wanted),
        grip_force=float(grip),
        table_force=float(table),
    )


def env_of(
    policy: VLAPolicy, task: str, robot: str | None = None, variety: Mapping[str, str] | None = None
) -> TabletopEnv:
    """The environment of a task in which a policy can act: its kind of actions, its pictures, its robot.

    Args:
        policy: who will act.
        task: a key of `TASKS`.
        robot: another one.
        variety: of the scenes; see `TabletopEnv`.

    Raises:
        CourseError: an unknown name.
    """
    own = policy.config
    return TabletopEnv(
        task, robot or own.robot, own.action_mode, own.cameras, image_size=own.image_size, variety=variety
    )


def _distance(plan: np.ndarray, wanted: np.ndarray) -> float:
    both = min(len(plan), len(wanted))  # of a long task the expert plans one part at a time
    return float(np.linalg.norm(plan[:both, :3] - wanted[:both, :3], axis=1).mean())


def another_object(scene: Scene, seed: int) -> int:
    """Index of a graspable object that the instruction could have named and did not, chosen by the seed."""
    graspable = [i for i, item in enumerate(scene.objects) if item.shape in (*GRASPABLE, "thing")]
    others = [i for i in graspable if i not in (scene.target, scene.reference)]
    return others[seed % len(others)]


def to_batch(observation: dict, instruction: str, blank: bool = False) -> dict:
    """An observation of the env as a batch of one."""
    batch = {"observation.state": torch.from_numpy(observation["state"])[None], "task": [instruction]}
    for camera in CAMERAS:
        if camera in observation:
            images = to_images(observation[camera][None])
            batch[f"observation.images.{camera}"] = torch.zeros_like(images) if blank else images
    return batch


def evaluate(
    policy: Path,
    task: str,
    seeds: Sequence[int],
    conditions: Sequence[str] = CONDITIONS,
    workers: int = 2,
    robot: str | None = None,
    variety: Mapping[str, str] | None = None,
) -> dict[str, Evaluation]:
    """Let a saved policy act in every scene under every condition, in parallel.

    The scenes are the same under every condition, so the outcomes can be compared in pairs.

    Args:
        policy: its folder.
        task: a key of `TASKS`.
        seeds: the scenes.
        conditions: of `CONDITIONS`.
        workers: processes. A few trials are carried out in this one: another takes longer to start than they do.
        robot, variety: of the environment; see `env_of`.

    Raises:
        CourseError: an unknown name, or no policy in the folder.
    """
    at_once("--workers", workers)
    for condition in conditions:
        one_of("condition", condition, CONDITIONS)
    if not seeds:
        raise CourseError("no scenes to evaluate on; ask for 1 trial or more")
    env_of(load_policy(policy), task, robot, variety).close()  # bad input is found before any worker starts
    written = (policy / "model.safetensors").stat().st_mtime_ns
    jobs = [(condition, seed) for condition in conditions for seed in seeds]
    parallel = Parallel(n_jobs=min(workers, 1 + len(jobs) // FEW), return_as="generator", batch_size=4)
    where = (policy, written, task, robot, tuple((variety or {}).items()))
    outcomes = parallel(delayed(_trial)(where, seed, condition) for condition, seed in jobs)
    results = {condition: Evaluation(condition) for condition in conditions}
    bar = tqdm(outcomes, total=len(jobs), desc="evaluate", unit="trial", leave=False)
    for (condition, _), trial in zip(jobs, bar, strict=True):
        results[condition].trials.append(trial)
    return results


def load_policy(folder: Path) -> VLAPolicy:
    """A policy from its folder, ready to act.

    Raises:
        CourseError: there is none, it is damaged, or its weights do not fit its config.
    """
    if not (folder / "config.json").exists() or not (folder / "model.safetensors").exists():
        raise CourseError(
            f'{folder}: holds no policy (config.json, model.safetensors); train one with "vla-course train"'
        )
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # the hub's mixin prints where it loads from
            return VLAPolicy.from_pretrained(folder, strict=True).eval()
    except CourseError as error:  # such as a language model that cannot be fetched
        raise CourseError(f"{folder}: {error}") from None
    except (RuntimeError, TypeError, ValueError, KeyError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise CourseError(f"{folder}: the weights do not fit config.json ({reason}); train the policy again") from None


_held: dict[tuple, tuple[VLAPolicy, TabletopEnv]] = {}


def _worker(where: tuple) -> tuple[VLAPolicy, TabletopEnv]:
    """One policy and one environment for as long as a process needs them.

    `where` also says when the weights were written: a policy that was trained again is loaded again.
    """
    if where not in _held:
        for _, env in _held.values():
            env.close()
        _held.clear()
        policy, _, task, robot, variety = where
        loaded = load_policy(policy)
        _held[where] = loaded, env_of(loaded, task, robot, dict(variety))
    return _held[where]


def _trial(where: tuple, seed: int, condition: str) -> Trial:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # workers share the cores, and a trial shall not depend on where it is carried out
    try:
        return rollout(*_worker(where), seed, condition)
    finally:
        torch.set_num_threads(threads)
