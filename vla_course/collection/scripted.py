"""Demonstrations by the scripted expert, recorded by parallel workers.

Episode i of a data set starts from scene seed `seeds.scene_seed(seed, i)`, so the number of workers does not change
what is recorded, and a collection that was killed goes on where it stopped.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from vla_course.collection.recorder import Recorder, features
from vla_course.data.episodes import Episode, write_episode
from vla_course.data.store import close_store, episode_folder, open_store
from vla_course.errors import CourseError, at_once, one_of
from vla_course.seeds import scene_seed
from vla_course.sim.env import GRIPPER_TICKS, TabletopEnv
from vla_course.sim.experts import ClosedLoopExpert
from vla_course.sim.tasks import TASKS
from vla_course.sim.world import CONTROL_HZ

RANDOM_MOVES, DROPS = 0.04, 0.005  # how often a noisy episode is disturbed, for each step


def collect(
    root: Path,
    task: str = "pick",
    episodes: int = 100,
    seed: int = 0,
    workers: int = 2,
    cameras: Sequence[str] = ("front",),
    modalities: Sequence[str] = ("rgb",),
    image_size: int = 64,
    robot: str = "panda",
    action_mode: str = "waypoint",
    noise: float = 0.0,
    variety: Mapping[str, str] | None = None,
    sensors: Sequence[str] = (),
) -> dict:
    """Record demonstrations of a task, carried out in physics.

    In mode "waypoint" each step is one waypoint; in mode "ee_delta" one control period of 0.1 s, and the robot may be
    disturbed. Failed attempts are recorded too, and labelled. Existing episodes of the same settings are kept.

    Args:
        root: folder of the data set.
        task: a key of `TASKS`, several with commas between them, or "all". One that is named twice has two turns.
        episodes: how many of each task the data set shall hold.
        seed: names the whole collection.
        workers: processes.
        cameras, modalities, image_size, variety, sensors: what is recorded; see `TabletopEnv`.
        robot: a key of `ROBOTS`; several with commas between them take turns. Columns that not all of them have alike,
            such as the joints of arms with six and with seven, are left out.
        action_mode: "waypoint" or "ee_delta".
        noise: standard deviation of what disturbs each action in mode "ee_delta"; see `record_closed_loop`.

    Returns:
        The data set's metadata.

    Raises:
        CourseError: an unknown name, a folder that cannot be written or that holds something else.
    """
    at_once("--workers", workers)
    if episodes < 1:
        raise CourseError(f"cannot collect {episodes} episodes; ask for 1 or more")
    one_of("action mode of the scripted expert", action_mode, ("waypoint", "ee_delta"))
    if noise and action_mode == "waypoint":
        raise CourseError(f"noise {noise} disturbs single control periods; record with action mode ee_delta")
    tasks, robots = list(TASKS) if task == "all" else task.split(","), robot.split(",")
    world = {
        "robot": robot,
        "action_mode": action_mode,
        "cameras": list(cameras),
        "modalities": list(modalities),
        "image_size": image_size,
        "variety": dict(variety or {}),
        "sensors": list(sensors),
    }
    # Bad names and seeds are found here, before anything is written.
    environments = [make_env(name, {**world, "robot": robots[0]}) for name in tasks]
    arms = [environments[0], *(make_env(tasks[0], {**world, "robot": name}) for name in robots[1:])]
    made, *others = map(features, arms)
    made = {name: found for name, found in made.items() if all(other.get(name) == found for other in others)}
    turns = [(name, arm) for arm in robots for name in tasks]
    jobs = [(*turns[i % len(turns)], scene_seed(seed, i)) for i in range(episodes * len(tasks))]
    settings = {"task": task, "fps": CONTROL_HZ, "seed": seed, "noise": noise, "features": made, **world}
    open_store(root, settings, {env.task.name: list(env.task.phrasings) for env in environments})
    for env in (*environments, *arms[1:]):
        env.close()
    missing = [i for i in range(len(jobs)) if not episode_folder(root, i).exists()]
    work = (delayed(_record_into)(episode_folder(root, i), world, *jobs[i], noise, list(made)) for i in missing)
    parallel = Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=8, pre_dispatch="8*n_jobs")
    for _ in tqdm(parallel(work), total=len(missing), desc="collect", unit="episode", leave=False):
        pass
    return close_store(root)


def make_env(task: str, world: Mapping[str, object]) -> TabletopEnv:
    """The environment of a data set.

    Args:
        task: a key of `TASKS`.
        world: the data set's metadata, or the part of it that describes the environment.
    """
    names = ("robot", "action_mode", "cameras", "modalities", "image_size", "variety", "sensors")
    return TabletopEnv(task, **{name: world[name] for name in names if name in world})


@functools.lru_cache(maxsize=64)  # all tasks with all robots
def env_of_worker(task: str, world: str) -> TabletopEnv:
    """`make_env`, but each environment is built once in a process; `world` is in JSON, since dicts cannot be keys."""
    return make_env(task, json.loads(world))


def _record_into(
    folder: Path, world: dict, task: str, robot: str, seed: int, noise: float, columns: Sequence[str]
) -> None:
    env = env_of_worker(task, json.dumps({**world, "robot": robot}))
    episode = record(env, seed) if env.action_mode == "waypoint" else record_closed_loop(env, seed, noise)
    write_episode(replace(episode, steps={name: episode.steps[name] for name in columns}), folder)


def record(env: TabletopEnv, seed: int) -> Episode:
    """Let the expert act once, waypoint by waypoint.

    Args:
        env: an environment in mode "waypoint".
        seed: names the scene.
    """
    recorder = Recorder(env)
    recorder.reset(seed)
    for action in env.expert_actions():
        recorder.step(action)
    return recorder.episode()


def record_closed_loop(env: TabletopEnv, seed: int, noise: float = 0.0) -> Episode:
    """Let the expert act once at 10 Hz, while something disturbs it, and record what it *wanted* to do.

    A policy that only ever saw a perfect expert does not know what to do where that expert never was. So the robot is
    moved off the path, and the label is what the expert does to come back (Laskey et al. 2017, DART).

    Args:
        env: an environment in mode "ee_delta".
        seed: names the scene and the noise.
        noise: standard deviation of a Gaussian added to each of the first six numbers of the action, at most; an
            episode has none of it, half or all. In those with noise there are now and then random moves of a whole
            step (4% of the steps), and the hand opens (0.5%).
    """
    rng = np.random.default_rng([seed, 1])
    level = noise * float(rng.choice([0.0, 0.5, 1.0]))
    recorder, expert = Recorder(env), ClosedLoopExpert(env)
    recorder.reset(seed)
    expert.reset()
    over, opened = False, 0
    while not over:
        action = expert.act()
        executed = action.copy()
        if level:
            executed[:6] += level * rng.normal(size=6)
            if rng.random() < RANDOM_MOVES:
                executed[:3] = rng.uniform(-1, 1, size=3)
            opened = GRIPPER_TICKS if rng.random() < DROPS else opened - 1
            if opened > 0:
                executed[6] = 1.0
        over = recorder.step(action, np.clip(executed, -1, 1))
    return recorder.episode({"noise": level, "recoveries": expert.recoveries})
