"""Commands that train policies and measure them."""

import json
from pathlib import Path
from typing import Annotated, Literal

import tyro

from vla_course.errors import CourseError

Folder = Annotated[Path, tyro.conf.Positional]
Condition = Literal["normal", "wrong_instruction", "blank_image", "held_out_phrasings"]


def demo(seed: int = 0, out: Path = Path("runs/demo"), workers: int = 2) -> None:
    """Collect demonstrations, train a policy, test it on scenes it never saw, write a report.

    Args:
        seed: names everything; the same seed gives the same result.
        out: folder of the run.
        workers: processes that simulate.
    """
    from vla_course.demo import run_demo

    run_demo(seed, out, workers)


def train(
    data: Folder,
    out: Path = Path("runs/train"),
    epochs: int = 16,
    batch_size: int = 64,
    learning_rate: float = 5e-3,
    mirror: bool = False,
    patience: int | None = None,
    parts: tuple[str, ...] = (),
    seed: int = 0,
) -> None:
    """Train a policy on a data set; goes on where an earlier call was stopped.

    On waypoints it is the policy of week 0, which plans once; on actions of 0.1 s, one that acts at 10 Hz.

    Args:
        data: folder of the data set.
        out: folder of the run; the policy of lowest validation loss ends up in OUT/best.
        epochs: passes over the data.
        batch_size: samples in a step.
        learning_rate: its peak.
        mirror: show every other sample in the mirror.
        patience: bear so many epochs without a better validation loss; one more ends the run.
        parts: what it is made of, as fields of VLAConfig, such as vision=vit decoder=flow.
        seed: of the first weights and the order of the samples.
    """
    from accelerate import PartialState

    from vla_course.training.behavior_cloning import demonstrations, new_policy, parse_parts
    from vla_course.training.trainer import TrainConfig
    from vla_course.training.trainer import train as fit

    config = TrainConfig(epochs, batch_size, learning_rate, mirror=mirror, patience=patience, seed=seed)
    fields = parse_parts(parts)
    dataset = demonstrations(data, fields.get("chunk"))
    history = fit(new_policy(dataset, seed, **fields), dataset, config, out)
    best = min(row["validation_loss"] for row in history)
    if PartialState().is_main_process:
        print(f"{len(history)} epochs, best validation loss {best:.4f}; policy: {out / 'best'}")


def evaluate(
    policy: Folder,
    task: str = "pick",
    trials: int = 100,
    seed: int = 0,
    conditions: tuple[Condition, ...] = ("normal", "wrong_instruction", "blank_image", "held_out_phrasings"),
    vary: tuple[str, ...] = (),
    robot: str | None = None,
    workers: int = 2,
    out: Path | None = None,
) -> None:
    """Let a policy act in scenes that no training saw, and count its successes.

    Args:
        policy: its folder.
        task: what it is asked to do; several with commas between them, or all.
        trials: scenes of each task under each condition.
        seed: names the scenes.
        conditions: the plain one and the controls.
        vary: what differs from scene to scene, such as light table=unseen.
        robot: panda, kuka or xarm6; by default the one that the policy was shown.
        workers: processes that simulate.
        out: also write the figures to this JSON file.
    """
    from vla_course.evaluation.report import table
    from vla_course.evaluation.rollouts import Evaluation
    from vla_course.evaluation.rollouts import evaluate as measure
    from vla_course.seeds import scene_seed
    from vla_course.sim.tasks import TASKS
    from vla_course.sim.variety import axes

    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
    seeds = [scene_seed(seed, i, test=True) for i in range(trials)]
    tasks = list(TASKS) if task == "all" else task.split(",")
    results = {name: measure(policy, name, seeds, conditions, workers, robot, axes(vary)) for name in tasks}
    if len(tasks) > 1:
        results["all"] = {c: Evaluation(c, [t for name in tasks for t in results[name][c].trials]) for c in conditions}
    for name, evaluations in results.items():
        print(f"{name}\n{table(evaluations)}")
    if out is not None:
        figures = {name: {c: result.to_json() for c, result in found.items()} for name, found in results.items()}
        out.write_text(json.dumps(figures, indent=1) + "\n")


def ablate(
    data: Folder,
    out: Path = Path("runs/ablate"),
    rows: tuple[str, ...] = (),
    trials: int = 50,
    epochs: int = 3,
    seed: int = 0,
    workers: int = 2,
) -> None:
    """Train and measure the policy that acts at 10 Hz, and variants of it: one table of parts and tasks.

    A row that was finished is kept: the same command goes on from there.

    Args:
        data: folder of demonstrations in mode ee_delta.
        out: folder of the runs; the table becomes OUT/table.json.
        rows: beginnings of names, such as decoder; none means all.
        trials: unseen scenes of each task; a fifth of them for each control.
        epochs: passes over the data.
        seed: of weights, order and scenes.
        workers: processes that simulate.
    """
    from vla_course.ablation import ablate as measure

    measure(data, out, rows, trials, epochs, seed, workers)
    print(f"table: {out / 'table.json'}")


def watch(
    policy: Folder, task: str = "pick", seed: int = 0, instruction: str | None = None, out: Path = Path("watch.png")
) -> None:
    """Draw one episode of a policy as a film strip.

    Args:
        policy: its folder.
        task: which scenes.
        seed: which of them.
        instruction: what to tell the policy; by default the scene's own sentence.
        out: the picture.
    """
    from vla_course.evaluation.rollouts import env_of, load_policy, rollout
    from vla_course.plots import film_strip
    from vla_course.seeds import scene_seed

    if out.suffix not in (".png", ".pdf", ".svg"):
        raise CourseError(f"{out}: is no name of a picture; give one that ends in .png, .pdf or .svg")
    loaded, frames = load_policy(policy), []
    scene = scene_seed(seed, 0, test=True)
    trial = rollout(loaded, env_of(loaded, task), scene, instruction=instruction, film=frames)
    film_strip(frames, f"“{trial.instruction}”").savefig(out, dpi=90)
    print(f"“{trial.instruction}”: goal conditions {trial.goal_conditions}; film: {out}")
