"""The whole path once: demonstrations, a policy, its test in scenes it never saw, a report."""

import json
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from vla_course.collection.scripted import collect
from vla_course.data.files import replace_file
from vla_course.machine import PeakMemory, describe_machine
from vla_course.scale import current_scale
from vla_course.seeds import scene_seed

TASK = "pick"


def run_demo(seed: int, out: Path, workers: int = 2) -> dict:
    """Collect, train, evaluate, report.

    Every step goes on where an earlier run of the same seed and scale was stopped.

    Args:
        seed: names everything: demonstrations, weights, test scenes.
        out: folder of the run.
        workers: processes that simulate.

    Returns:
        What `out/report.json` holds.

    Raises:
        CourseError: `out` cannot be written or holds another run.
    """
    scale = current_scale()
    with PeakMemory() as memory:
        with _phase(out, "collect"):
            collect(out / "demonstrations", TASK, scale.demonstrations, seed, workers)
        # Training in a process of its own gives its memory back before the evaluation needs some.
        with _phase(out, "train"), ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            demonstrations = process.submit(train_policy, out, scale.epochs, seed).result()
        from vla_course.evaluation.report import table, write_report
        from vla_course.evaluation.rollouts import env_of, evaluate, load_policy

        with _phase(out, "evaluate", again=True):
            seeds = [scene_seed(seed, i, test=True) for i in range(scale.trials)]
            results = evaluate(out / "policy", TASK, seeds, workers=workers)
    policy = load_policy(out / "policy")
    history = json.loads((out / "training" / "history.json").read_text())
    seconds = json.loads((out / "seconds.json").read_text())
    summary = {
        "task": TASK,
        **results["normal"].to_json(),
        "controls": {name: result.to_json() for name, result in results.items() if name != "normal"},
        "parameters": sum(p.numel() for p in policy.parameters()),
        "demonstrations": demonstrations,
        "seconds": {**seconds, "total": round(sum(seconds.values()), 1)},
        "peak_memory_mb": memory.megabytes,
        "seed": seed,
        "machine": describe_machine(),
    }
    env = env_of(policy, TASK)
    write_report(out, summary, results, history, policy, env)
    env.close()
    print(table(results))
    phases = ", ".join(f"{name} {value:.0f} s" for name, value in summary["seconds"].items())
    print(f"{phases}; at most {memory.megabytes} MB in use; {summary['parameters']:,} parameters")
    print(f"report: {out / 'report.html'}")
    return summary


def train_policy(out: Path, epochs: int, seed: int) -> int:
    """Train on `out/demonstrations`, save `out/policy`, and return how many demonstrations it learned from."""
    from vla_course.data.windows import WindowDataset
    from vla_course.training.behavior_cloning import new_policy
    from vla_course.training.trainer import TrainConfig, train

    dataset = WindowDataset(out / "demonstrations")
    policy = new_policy(dataset, seed)
    train(policy, dataset, TrainConfig(epochs=epochs, seed=seed), out / "training")
    policy.save_pretrained(out / "policy")
    return len(dataset.episodes)


@contextmanager
def _phase(out: Path, name: str, again: bool = False) -> Iterator[None]:
    """Add the seconds of a phase to `out/seconds.json`, so that a resumed run counts all of its parts."""
    start, path = time.perf_counter(), out / "seconds.json"
    try:
        yield
    finally:  # a phase that is stopped took its time too
        seconds = json.loads(path.read_text()) if path.exists() else {}
        before = 0.0 if again else seconds.get(name, 0.0)
        seconds[name] = round(before + time.perf_counter() - start, 1)
        if out.is_dir():
            replace_file(path, json.dumps(seconds).encode())
