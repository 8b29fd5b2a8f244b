"""How often each scripted expert succeeds: `python -m benchmarks.experts` writes results/experts.json."""

import json
import time
from pathlib import Path

from joblib import Parallel, delayed

from vla_course.evaluation.statistics import success_rate
from vla_course.machine import describe_machine
from vla_course.sim.env import TabletopEnv
from vla_course.sim.tasks import TASKS

TRIALS = 500


def succeeds(task: str, seeds: range) -> list[bool]:
    """Whether the expert reaches the goal in each scene."""
    env, outcomes = TabletopEnv(task, action_mode="waypoint", cameras=()), []
    for seed in seeds:
        env.reset(seed=seed)
        for action in env.expert_actions():
            *_, info = env.step(action)
        outcomes.append(info["success"])
    env.close()
    return outcomes


def main() -> None:
    """Run every expert on scenes 0 to 499."""
    rows = []
    for task in TASKS:
        start = time.perf_counter()
        parts = [range(k, k + 50) for k in range(0, TRIALS, 50)]
        outcomes = sum(Parallel(n_jobs=2)(delayed(succeeds)(task, part) for part in parts), [])
        rate = success_rate(outcomes)
        rows.append({"name": task, **rate.to_json(), "minutes": round((time.perf_counter() - start) / 60, 2)})
        print(f"{task:<12} {rate}")
    content = {"command": "python -m benchmarks.experts", "seed": 0, "machine": describe_machine(), "rows": rows}
    Path("results/experts.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
