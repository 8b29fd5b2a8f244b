"""What is each part worth? One table: the policy as it is designed, and with one thing changed at a time.

All rows learn from the same demonstrations and act in the same unseen scenes, so each is compared with the first by
McNemar's test on pairs. A row that was finished is kept, so a table that was stopped goes on where it was.
"""

import dataclasses
import json
import re
import statistics
import time
from pathlib import Path

import numpy as np
import torch

from vla_course.data.files import replace_file
from vla_course.errors import CourseError, one_of
from vla_course.evaluation.rollouts import evaluate, load_policy
from vla_course.evaluation.statistics import SuccessRate, mcnemar, success_rate
from vla_course.machine import describe_machine
from vla_course.models.policy import VLAPolicy
from vla_course.seeds import scene_seed
from vla_course.training.behavior_cloning import demonstrations, new_policy
from vla_course.training.trainer import TrainConfig, train

BASE = "as designed"
CONTROLS = ("wrong_instruction", "blank_image")
LEARNING_RATE = 4e-3

# What is changed, as fields of `VLAConfig`. Rows of `EXECUTION` only act otherwise: they take the weights of `BASE`.
ROWS: dict[str, dict] = {
    BASE: {},
    "vision: ViT": {"vision": "vit"},
    "vision: FiLM": {"vision": "film"},
    "vision: ResNet-18, random": {"vision": "resnet18", "vision_layer": "layer1"},
    "vision: ResNet-18, random, frozen": {"vision": "resnet18", "vision_layer": "layer1", "vision_frozen": True},
    "language: bag of words": {"language": "bag"},
    "language: transformer": {"language": "transformer"},
    "fusion: concatenation": {"fusion": "concat"},
    "fusion: FiLM": {"fusion": "film"},
    "fusion: joint transformer": {"fusion": "joint"},
    "decoder: squared error": {"decoder": "mse"},
    "decoder: tokens": {"decoder": "tokens"},
    "decoder: tokens, hard labels, argmax": {"decoder": "hard_tokens"},
    "decoder: tokens, quantile bins": {"decoder": "tokens", "bins": "quantile"},
    "decoder: tokens, one by one": {"decoder": "autoregressive"},
    "decoder: ACT": {"decoder": "act"},
    "decoder: diffusion": {"decoder": "diffusion"},
    "decoder: flow matching": {"decoder": "flow"},
    "without grounding": {"grounding_weight": 0.0},
    "without relative positions": {"relative_weight": 0.0, "memory": False},
    "without memory": {"memory": False},
    "without a glance": {"glance": 0},
    "without the wrist camera": {"cameras": ["front"]},
    "one question": {"questions": 1},
    "chunks of 1": {"chunk": 1, "execute": 1},
    "chunks of 4": {"chunk": 4},
    "chunks of 16": {"chunk": 16},
}
EXECUTION: dict[str, dict] = {
    "1 action of each chunk": {"execute": 1},
    "4 actions of each chunk": {"execute": 4},
    "all 8 actions, open loop": {"execute": None},
    "averaged plans": {"ensemble": True},
}


def ablate(
    data: Path,
    out: Path,
    rows: tuple[str, ...] = (),
    trials: int = 50,
    epochs: int = 3,
    seed: int = 0,
    workers: int = 2,
) -> list[dict]:
    """Train and measure every row, and write the table.

    Args:
        data: demonstrations in mode "ee_delta".
        out: folder of the runs; the table becomes `out/table.json`.
        rows: names of `ROWS` and `EXECUTION`, or the beginnings of names; none means all.
        trials: unseen scenes of each task; a fifth of them for each control.
        epochs: passes over the data.
        seed: of weights, order and scenes.
        workers: processes that simulate.

    Returns:
        The rows of the table: name, settings, success rates of all tasks together and of each, outcomes (of each task
        "1" or "0" for each scene, so that any two rows can be compared in pairs), p (against the first row; None for a
        row of other settings), controls, parameters, minutes (of training), validation_loss (the lowest), action_loss
        (the action decoder's own part of it), action_loss_own_memory (the same, where the policy remembers what it saw
        itself), milliseconds (to plan once on one thread). Times are those of the processor, so other work on the
        machine does not count.

    Raises:
        CourseError: an unknown row, or data in another mode.
    """
    chosen = _chosen(rows)
    dataset = demonstrations(data)
    if dataset.metadata["action_mode"] != "ee_delta":
        raise CourseError(f"{data}: has actions of mode {dataset.metadata['action_mode']!r}; record in mode ee_delta")
    tasks = sorted({episode["task"] for episode in dataset.episodes})
    settings = {"trials": trials, "epochs": epochs, "seed": seed, "tasks": tasks, "episodes": len(dataset.episodes)}
    for name in chosen:
        folder = _folder(out, name)
        row, wanted = _finished(folder), {**settings, "fields": (ROWS | EXECUTION)[name]}
        if row is None or row["settings"] != wanted:
            trained = _policy(name, data, folder, out, epochs, seed)
            row = {"name": name, "settings": wanted, **trained}
            row |= _measure(folder / "policy", tasks, trials, seed, workers)
            row |= _action_losses(folder / "policy", data, seed)
            replace_file(folder / "row.json", (json.dumps(row, indent=1) + "\n").encode())
        print(line(row), flush=True)
    table = [row for name in (*ROWS, *EXECUTION) if (row := _finished(_folder(out, name)))]
    content = {"command": f"vla-course ablate {data}", "machine": describe_machine(), **settings}
    content["rows"] = _with_p(table)
    replace_file(out / "table.json", (json.dumps(content, indent=1) + "\n").encode())
    return content["rows"]


def line(row: dict) -> str:
    """A row as one line of text."""
    rate = SuccessRate(row["successes"], row["trials"])
    parts = "  ".join(f"{task} {found['successes']}/{found['trials']}" for task, found in row["tasks"].items())
    controls = "  ".join(f"{name} {found['successes']}/{found['trials']}" for name, found in row["controls"].items())
    return (
        f"{row['name']:<38} {rate!s:<24} {parts}  {controls}  {row['parameters']:,} parameters  "
        f"{row['minutes']:.1f} min  {row['milliseconds']:.1f} ms"
    )


def _chosen(rows: tuple[str, ...]) -> list[str]:
    """Full names, the base first: every other row is compared with it."""
    names = [*ROWS, *EXECUTION]
    for row in rows:
        if not any(name.startswith(row) for name in names):
            one_of("row", row, names)
    return [BASE, *(name for name in names if name != BASE and (not rows or name.startswith(rows)))]


def _folder(out: Path, name: str) -> Path:
    return out / re.sub(r"\W+", "_", name)


def _finished(folder: Path) -> dict | None:
    path = folder / "row.json"
    return json.loads(path.read_text()) if path.exists() else None


def _policy(name: str, data: Path, folder: Path, out: Path, epochs: int, seed: int) -> dict:
    """Make `folder/policy`; say how long its training took, and the lowest validation loss."""
    if name in EXECUTION:
        base = load_policy(_folder(out, BASE) / "policy")
        policy = VLAPolicy(dataclasses.replace(base.config, **EXECUTION[name]))
        policy.load_state_dict(base.state_dict())
        policy.save_pretrained(folder / "policy")
        trained = _finished(_folder(out, BASE))
        return {"minutes": 0.0, "validation_loss": trained["validation_loss"]}
    dataset = demonstrations(data, ROWS[name].get("chunk"))
    policy = new_policy(dataset, seed, **ROWS[name])
    config = TrainConfig(epochs, learning_rate=LEARNING_RATE, mirror=True, seed=seed)
    start = time.process_time()
    history = train(policy, dataset, config, folder / "training")
    policy.save_pretrained(folder / "policy")
    return {
        "minutes": round((time.process_time() - start) / 60, 2),
        "validation_loss": round(min(row["validation_loss"] for row in history), 4),
    }


def _measure(policy: Path, tasks: list[str], trials: int, seed: int, workers: int) -> dict:
    """Success in unseen scenes, under the controls too; size and speed."""
    seeds = [scene_seed(seed, i, test=True) for i in range(trials)]
    outcomes = {
        t: [x.success for x in evaluate(policy, t, seeds, ("normal",), workers)["normal"].trials] for t in tasks
    }
    few = seeds[: max(1, trials // 5)]
    told = [evaluate(policy, task, few, CONTROLS, workers) for task in tasks]
    loaded = load_policy(policy)
    return {
        "outcomes": {task: "".join("01"[success] for success in found) for task, found in outcomes.items()},
        **success_rate(sum(outcomes.values(), [])).to_json(),
        "tasks": {task: success_rate(found).to_json() for task, found in outcomes.items()},
        "controls": {c: success_rate([t.success for one in told for t in one[c].trials]).to_json() for c in CONTROLS},
        "parameters": sum(p.numel() for p in loaded.parameters()),
        "milliseconds": _milliseconds(loaded),
    }


@torch.no_grad()
def _action_losses(policy: Path, data: Path, seed: int) -> dict[str, float]:
    """Of the episodes that were put aside: as in validation, where the memory is of true places, and with a memory of
    what the policy saw itself, as when it acts. Only policies with the same decoder and chunk can be compared.
    """
    loaded, losses = load_policy(policy), []
    dataset = demonstrations(data, loaded.config.chunk)
    windows = np.array(dataset.split(TrainConfig().validation, seed)["validation"])
    episodes = dataset.episode_of(windows)
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)  # some decoders draw in their loss
        for episode in np.unique(episodes):
            batch = dataset.__getitems__(windows[episodes == episode].tolist())
            told = loaded(batch)[1]["action_loss"]
            if loaded.config.memory:
                begun = loaded.places({name: value for name, value in batch.items() if name != "start_positions"})[:1]
                batch["start_positions"] = begun.expand(len(batch["task"]), -1, -1)
            losses += [(told, loaded(batch)[1]["action_loss"])] * len(batch["task"])
    names = ("action_loss", "action_loss_own_memory")
    return {name: round(loss, 4) for name, loss in zip(names, np.mean(losses, axis=0).tolist(), strict=True)}


def _milliseconds(policy: VLAPolicy, repeat: int = 20) -> float:
    """Median processor time to plan once, on one thread."""
    threads, times = torch.get_num_threads(), []
    torch.set_num_threads(1)
    pictures = {f"observation.images.{camera}": torch.rand(1, 3, 64, 64) for camera in policy.config.cameras}
    batch = {**pictures, "observation.state": torch.zeros(1, 7), "task": ["pick up the red cube"]}
    for _ in range(repeat):
        start = time.process_time()
        policy.predict_action_chunk(batch)
        times.append(time.process_time() - start)
    torch.set_num_threads(threads)
    return round(statistics.median(times) * 1e3, 2)


def _with_p(table: list[dict]) -> list[dict]:
    """Each row with its p-value against the first; None for one of other settings."""
    base, rows = table[0], []
    for row in table:
        same = row["settings"] | {"fields": None} == base["settings"] | {"fields": None}
        first, second = ([x == "1" for x in "".join(one["outcomes"].values())] for one in (base, row))
        rows.append(row | {"p": mcnemar(first, second) if same else None})
    return rows
