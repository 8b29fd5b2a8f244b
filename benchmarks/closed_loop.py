"""The policy that acts ten times a second, from nothing: `python -m benchmarks.closed_loop 0 1 2` for these seeds.

Each seed collects its own demonstrations, trains its own policy, and acts in scenes of its own. What was finished is
kept in runs/closed_loop/, and the rows stand in results/closed_loop.json.
"""

import json
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from vla_course.collection.scripted import collect
from vla_course.evaluation.rollouts import evaluate, load_policy
from vla_course.evaluation.statistics import success_rate
from vla_course.machine import describe_machine
from vla_course.seeds import scene_seed
from vla_course.training.behavior_cloning import demonstrations, new_policy
from vla_course.training.trainer import TrainConfig, train

CONTROLS = ("wrong_instruction", "blank_image", "held_out_phrasings")
RESULTS = Path("results/closed_loop.json")


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        tasks: that one policy learns; one that is named twice is shown twice as often.
        episodes: demonstrations of a task for each time it is named.
        epochs: passes over them.
        trials: unseen scenes of each task.
        control_trials: how many of them are also acted in under each control.
        fields: of `VLAConfig`, in place of those of `closed_loop`.
    """

    tasks: tuple[str, ...]
    episodes: int
    epochs: int
    trials: int = 100
    control_trials: int = 20
    fields: dict = field(default_factory=dict)


THREE = Plan(("pick", "place", "push_forward"), episodes=600, epochs=3)


def learn(data: Path, out: Path, seed: int, plan: Plan) -> None:
    """Train, in a process of its own, which gives its memory back."""
    dataset = demonstrations(data)
    config = TrainConfig(plan.epochs, learning_rate=4e-3, mirror=True, seed=seed)
    train(new_policy(dataset, seed, **plan.fields), dataset, config, out)


def measure(seed: int, out: Path, plan: Plan) -> dict:
    """One row of the results: success rates with their intervals, of each task and of all; controls; seconds."""
    clock = [time.perf_counter()]
    cameras = ("front", "wrist")
    collect(
        out / "data", ",".join(plan.tasks), plan.episodes, seed, cameras=cameras, action_mode="ee_delta", noise=0.12
    )
    clock.append(time.perf_counter())
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        process.submit(learn, out / "data", out / "training", seed, plan).result()
    clock.append(time.perf_counter())
    policy, tasks = out / "training" / "best", sorted(set(plan.tasks), key=plan.tasks.index)
    scenes = [scene_seed(seed, i, test=True) for i in range(plan.trials)]
    normal = {task: evaluate(policy, task, scenes, ("normal",))["normal"].trials for task in tasks}
    told = [evaluate(policy, task, scenes[: plan.control_trials], CONTROLS) for task in tasks]
    clock.append(time.perf_counter())
    seconds = dict(
        zip(("collect", "train", "evaluate"), (b - a for a, b in zip(clock, clock[1:], strict=False)), strict=True)
    )
    return {
        "name": f"seed {seed}",
        "seed": seed,
        **success_rate([t.success for trials in normal.values() for t in trials]).to_json(),
        "tasks": {task: success_rate([t.success for t in trials]).to_json() for task, trials in normal.items()},
        "controls": {
            c: {
                "original": success_rate([t.success for one in told for t in one[c].trials]).to_json(),
                "named": success_rate([t.named_success for one in told for t in one[c].trials]).to_json(),
            }
            for c in CONTROLS
        },
        "parameters": sum(p.numel() for p in load_policy(policy).parameters()),
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "minutes": round((clock[2] - clock[0]) / 60, 2),
    }


def write_results(path: Path, command: str, rows: list[dict]) -> None:
    """Write a results file: command, seeds, machine, rows."""
    seeds = [row["seed"] for row in rows]
    content = {"command": command, "seed": seeds, "machine": describe_machine(), "rows": rows}
    path.write_text(json.dumps(content, indent=1) + "\n")
    print(json.dumps(rows[-1]), flush=True)


def main() -> None:
    """Measure the seeds named on the command line that have no row yet."""
    rows = json.loads(RESULTS.read_text())["rows"] if RESULTS.exists() else []
    for seed in map(int, sys.argv[1:]):
        if f"seed {seed}" not in {row["name"] for row in rows}:
            rows.append(measure(seed, Path("runs/closed_loop") / f"seed_{seed}", THREE))
            write_results(RESULTS, "python -m benchmarks.closed_loop 0 1 2", rows)


if __name__ == "__main__":
    main()
