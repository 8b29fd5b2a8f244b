"""Demonstrations by the scripted expert, recorded by parallel workers.

Episode i of a data set starts from scene seed `seeds.scene_seed(seed, i)`, so the number of workers does not change
what is recorded, and a collection that was killed goes on where it stopped.
"""

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from vla_course.data.episodes import Episode, write_episode
from vla_course.data.store import close_store, episode_folder, open_store
from vla_course.errors import CourseError
from vla_course.seeds import scene_seed
from vla_course.sim.env import TabletopEnv
from vla_course.sim.world import CONTROL_HZ

# For how many other objects of the scene an episode notes how the sentence would name them, and where
# they are. Pointing at them is an exercise that costs no further demonstration.
POINTING = 3

FEATURES = {
    "action": {
        "dtype": "float32",
        "shape": [7],
        "names": ["x", "y", "z", "roll", "pitch", "yaw", "gripper"],
        "units": ["m", "m", "m", "rad", "rad", "rad", "+1 open, -1 closed"],
    },
    "state": {
        "dtype": "float32",
        "shape": [7],
        "names": ["x", "y", "z", "roll", "pitch", "yaw", "gripper"],
        "units": ["m", "m", "m", "rad", "rad", "rad", "+1 open, -1 closed"],
    },
    "joints": {
        "dtype": "float32",
        "shape": [7],
        "names": [f"joint_{i}" for i in range(7)],
        "units": ["rad"] * 7,
    },
    "reward": {"dtype": "float32", "shape": [], "names": ["reward"], "units": ["1"]},
    "timestamp": {"dtype": "float32", "shape": [], "names": ["timestamp"], "units": ["s"]},
    "target_pixel": {
        "dtype": "float32",
        "shape": [2],
        "names": ["u", "v"],
        "units": ["of width", "of height"],
    },
    "pointing_pixels": {
        "dtype": "float32",
        "shape": [POINTING, 2],
        "names": [[f"u_{i}", f"v_{i}"] for i in range(POINTING)],
        "units": [["of width", "of height"]] * POINTING,
    },
}


def collect(
    root: Path,
    task: str = "pick",
    episodes: int = 100,
    seed: int = 0,
    workers: int = 2,
    cameras: Sequence[str] = ("front",),
    modalities: Sequence[str] = ("rgb",),
    image_size: int = 64,
) -> dict:
    """Record demonstrations of a task: the expert's waypoints, carried out in physics.

    Each step is one waypoint: the picture before it, the robot's state, the action. Failed attempts
    are recorded too, and labelled. Existing episodes of the same settings are kept, not made again.

    Args:
        root: folder of the data set.
        task: a key of `TASKS`.
        episodes: how many the data set shall hold.
        seed: names the whole collection.
        workers: processes.
        cameras, modalities, image_size: what is recorded; see `TabletopEnv`.

    Returns:
        The data set's metadata.

    Raises:
        CourseError: an unknown name, a folder that cannot be written or that holds something else.
    """
    if episodes < 1:
        raise CourseError(f"cannot collect {episodes} episodes; ask for 1 or more")
    settings = {
        "robot": "panda",
        "task": task,
        "action_mode": "waypoint",
        "fps": CONTROL_HZ,
        "cameras": list(cameras),
        "modalities": list(modalities),
        "image_size": image_size,
        "seed": seed,
        "features": FEATURES,
    }
    make_env = functools.partial(
        _env, task=task, cameras=tuple(cameras), modalities=tuple(modalities), image_size=image_size
    )
    # Bad names and seeds are found here, before anything is written.
    phrasings = list(make_env().task.phrasings)
    seeds = [scene_seed(seed, i) for i in range(episodes)]
    open_store(root, settings, {task: phrasings})
    missing = [i for i in range(episodes) if not episode_folder(root, i).exists()]
    jobs = (delayed(_record_into)(episode_folder(root, i), make_env, seeds[i]) for i in missing)
    parallel = Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=8, pre_dispatch="8*n_jobs")
    for _ in tqdm(parallel(jobs), total=len(missing), desc="collect", unit="episode", leave=False):
        pass
    return close_store(root)


@functools.cache
def _env(task: str, cameras: tuple, modalities: tuple, image_size: int) -> TabletopEnv:
    """One environment for the life of a worker."""
    return TabletopEnv(task=task, action_mode="waypoint", cameras=cameras, modalities=modalities, image_size=image_size)


def _record_into(folder: Path, make_env: functools.partial, seed: int) -> None:
    write_episode(record(make_env(), seed), folder)


def record(env: TabletopEnv, seed: int) -> Episode:
    """Let the expert act once, and record what the cameras and joints show before each action.

    Args:
        env: an environment in mode "waypoint".
        seed: names the scene.
    """
    observation, info = env.reset(seed=seed)
    instruction, scene = observation["instruction"], env.world.scene
    others = [i for i in range(len(scene.objects)) if i not in (scene.target, scene.reference)]
    others = (others + [scene.target] * POINTING)[:POINTING]  # a scene with few objects repeats the target
    steps: dict[str, list] = {name: [] for name in FEATURES}
    pictures = [name for name in env.observation_space.spaces if name.startswith(env.cameras)]
    frames: dict[str, list] = {name: [] for name in pictures}
    for action in env.expert_waypoints():
        before = {
            "action": action,
            "state": observation["state"],
            "joints": observation["joints"],
            "timestamp": info["seconds"],
            "target_pixel": info["pixels"][scene.target],
            "pointing_pixels": info["pixels"][others],
        }
        for name in pictures:
            frames[name].append(observation[name])
        observation, reward, terminated, truncated, info = env.step(action)
        for name, value in {**before, "reward": reward}.items():
            steps[name].append(value)
        if terminated or truncated:
            break
    metadata = {
        "task": env.task.name,
        "seed": seed,
        "robot": "panda",
        "success": info["success"],
        "goal_conditions": info["goal_conditions"],
        "pointing": [scene.instruction(target=i) for i in others],
    }
    return Episode(metadata, instruction, {k: np.array(v, dtype=np.float32) for k, v in steps.items()}, frames)
