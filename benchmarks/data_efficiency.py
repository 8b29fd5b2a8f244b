"""How many demonstrations does a one-shot pick need? `python -m benchmarks.data_efficiency` writes the curve.

One policy for each number of scenes, all tested in the same unseen scenes. Small sets are seen more often, so that each
policy takes about `LEAST_STEPS` steps or more. What was finished is kept in runs/data_efficiency/; the rows stand in
results/data_efficiency.json.
"""

import json
import time
from pathlib import Path

from vla_course.collection.scripted import collect
from vla_course.data.windows import WindowDataset
from vla_course.evaluation.rollouts import CONDITIONS, evaluate
from vla_course.machine import describe_machine
from vla_course.seeds import scene_seed
from vla_course.training.behavior_cloning import new_policy
from vla_course.training.trainer import TrainConfig, train

SCENES = (75, 150, 300, 600, 1200, 2400, 6000)
SEED, TRIALS, EPOCHS, LEAST_STEPS = 0, 200, 8, 600
RUNS, RESULTS = Path("runs/data_efficiency"), Path("results/data_efficiency.json")


def measure(scenes: int) -> dict:
    """One row: success under each condition, and the minutes of training, in processor time."""
    collect(RUNS / "data", "pick", scenes, SEED)  # the data set grows: the first scenes stay the same
    dataset = WindowDataset(RUNS / "data")
    epochs = max(EPOCHS, round(LEAST_STEPS * TrainConfig().batch_size / len(dataset)))
    out = RUNS / f"training_{scenes}"
    start = time.process_time()
    train(new_policy(dataset, SEED), dataset, TrainConfig(epochs=epochs, seed=SEED), out)
    minutes = (time.process_time() - start) / 60
    results = evaluate(out / "best", "pick", [scene_seed(SEED, i, test=True) for i in range(TRIALS)])
    return {
        "name": f"{scenes} scenes",
        "scenes": scenes,
        "epochs": epochs,
        **results["normal"].rate.to_json(),
        "controls": {
            name: {"original": results[name].rate.to_json(), "named": results[name].named_rate.to_json()}
            for name in CONDITIONS[1:]
        },
        "minutes": round(minutes, 2),
    }


def main() -> None:
    """Measure every number of scenes that has no row yet."""
    rows = json.loads(RESULTS.read_text())["rows"] if RESULTS.exists() else []
    for scenes in SCENES:
        if scenes not in {row["scenes"] for row in rows}:
            rows.append(measure(scenes))
            about = {"command": "python -m benchmarks.data_efficiency", "seed": SEED, "machine": describe_machine()}
            RESULTS.write_text(json.dumps({**about, "rows": rows}, indent=1) + "\n")
            print(json.dumps(rows[-1]), flush=True)


if __name__ == "__main__":
    main()
