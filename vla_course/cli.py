"""The command line: `vla-course COMMAND --help` explains each command."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

from vla_course.errors import CourseError

# Heavy libraries are imported inside the commands, so that `--help` answers at once.

Folder = Annotated[Path, tyro.conf.Positional]
Camera = Literal["front", "wrist", "overhead"]
Modality = Literal["rgb", "depth", "segmentation"]
Sensor = Literal["lidar", "imu", "wrench", "joint_state"]
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


def doctor() -> None:
    """Check that this machine can run the course, and say what to do where it cannot."""
    from vla_course.doctor import main as examine

    sys.exit(examine())


def collect(
    out: Folder,
    task: str = "pick",
    episodes: int = 100,
    seed: int = 0,
    workers: int = 2,
    cameras: tuple[Camera, ...] = ("front",),
    modalities: tuple[Modality, ...] = ("rgb",),
    image_size: int = 64,
    robot: str = "panda",
    action_mode: Literal["waypoint", "ee_delta"] = "waypoint",
    noise: float = 0.0,
    vary: tuple[str, ...] = (),
    sensors: tuple[Sensor, ...] = (),
) -> None:
    """Record demonstrations of the scripted expert; goes on where an earlier call was stopped.

    Args:
        out: folder of the data set.
        task: what is demonstrated, such as pick; several with commas between them; or all.
        episodes: how many of each task the data set shall hold.
        seed: names the scenes.
        workers: processes that simulate.
        cameras: what records.
        modalities: color, depth in metres, which object is where.
        image_size: height and width of the pictures, pixels.
        robot: panda, kuka or xarm6.
        action_mode: one action for each waypoint, or ten a second.
        noise: how much each action of the ten a second is disturbed; 0.1 is a lot.
        vary: what differs from scene to scene, such as light table=unseen.
        sensors: what records beside the cameras and the joints' angles.
    """
    from vla_course.collection.scripted import collect as record

    variety = dict(axis.split("=", 1) if "=" in axis else (axis, "seen") for axis in vary)
    metadata = record(
        out, task, episodes, seed, workers, cameras, modalities, image_size, robot, action_mode, noise, variety, sensors
    )
    print(f"{metadata['episodes']} episodes, {metadata['steps']} steps in {out}")


def verify(data: Folder, repair: bool = False) -> None:
    """Read every episode of a data set and name each damaged one.

    Args:
        data: folder of the data set.
        repair: move the damaged episodes to DATA/damaged/; "vla-course collect" then records them anew.
    """
    from vla_course.data.store import verify as check

    sound, damaged = check(data, repair)
    for line in damaged:
        print(f"damaged: {line}")
    print(f"{sound} episodes are sound, {len(damaged)} damaged")
    if damaged and not repair:
        raise CourseError(
            f'{data}: put the damaged episodes aside with "vla-course verify {data} --repair", then collect again'
        )


def teleop(
    out: Folder,
    device: Literal["keyboard", "gamepad", "vr", "kinesthetic"] = "keyboard",
    task: str = "pick",
    episodes: int = 3,
    seed: int = 0,
    cameras: tuple[Camera, ...] = ("front", "wrist"),
    image_size: int = 64,
    robot: str = "panda",
    operator: str = "",
    port: int = 8765,
) -> None:
    """Record demonstrations by hand; goes on where an earlier call was stopped.

    Args:
        out: folder of the data set.
        device: what you move the robot with.
        task: what you demonstrate.
        episodes: how many the data set shall hold.
        seed: names the scenes.
        cameras: what records.
        image_size: height and width of the pictures, pixels.
        robot: panda, kuka or xarm6.
        operator: your name, for the episodes' metadata.
        port: UDP port of device vr.
    """
    from vla_course.collection.teleop import teleop as record

    metadata = record(out, device, task, episodes, seed, cameras, image_size, robot, operator, port)
    print(f"{metadata.get('episodes', 0)} episodes, {metadata.get('steps', 0)} steps in {out}")


def bags(out: Folder, recordings: tuple[Path, ...], topics: Path) -> None:
    """Turn ROS 2 recordings into episodes.

    Args:
        out: folder of the data set.
        recordings: folders of rosbag2 recordings.
        topics: TOML file that says which topic is what; see vla_course/collection/rosbag.py.
    """
    from vla_course.collection.rosbag import import_bags
    from vla_course.collection.rosbag_topics import read_map

    metadata = import_bags(recordings, out, read_map(topics))
    print(f"{metadata['episodes']} episodes, {metadata['steps']} steps in {out}")


def inspect(data: Folder, out: Path = Path("runs/inspect"), trim: Path | None = None, workers: int = 2) -> None:
    """Judge demonstrations: waiting, smoothness, coverage, duplicates, what the camera sees; writes a page.

    Args:
        data: folder of the data set.
        out: folder of the page, inspect.html, and of inspect.json.
        trim: instead, write a copy without the idle rows into this folder.
        workers: processes that trim.
    """
    if trim is not None:
        from vla_course.data.segments import trim as without_idle

        metadata = without_idle(data, trim, workers)
        print(
            f'{metadata["episodes"]} episodes, {metadata["steps"]} steps in {trim}; check: "vla-course replay {trim}"'
        )
        return
    from vla_course.collection.inspect_report import inspect as judge

    found = judge(data, out)
    for line in found["advice"]:
        print(line)
    print(f"{len(found['episodes'])} episodes, {len(found['advice'])} things stand out; page: {out / 'inspect.html'}")


def replay(data: Folder, workers: int = 2) -> None:
    """Send the recorded actions of every episode to the simulator again; status 0 if 98% of the successes succeed.

    Args:
        data: folder of the data set.
        workers: processes that simulate.
    """
    from vla_course.collection.replay import replay as run
    from vla_course.evaluation.statistics import success_rate

    result = run(data, workers)
    print(result)
    if result.outcomes:
        print(f"replayed to success: {success_rate(result.outcomes)}")
    sys.exit(0 if result.passed else 1)


def convert(
    source: Folder, target: Folder, format: Literal["lerobot-v3.0", "lerobot-v2.1", "droid", "video-csv"]
) -> None:
    """Write a data set of the course in another format, or make one from another format.

    Args:
        source: a data set of the course, which is exported; anything else is imported.
        target: a new folder.
        format: how the data set lies, or shall lie, on the other side.
    """
    from vla_course.data.formats import export_dataset, import_dataset, is_dataset

    count = (export_dataset if is_dataset(source) else import_dataset)(source, target, format)
    print(f"{count} episodes in {target}")


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
        patience: stop after so many epochs without a better validation loss.
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
        workers: processes that simulate.
        out: also write the figures to this JSON file.
    """
    from vla_course.evaluation.report import table
    from vla_course.evaluation.rollouts import Evaluation
    from vla_course.evaluation.rollouts import evaluate as measure
    from vla_course.seeds import scene_seed
    from vla_course.sim.tasks import TASKS

    seeds = [scene_seed(seed, i, test=True) for i in range(trials)]
    tasks = list(TASKS) if task == "all" else task.split(",")
    results = {name: measure(policy, name, seeds, conditions, workers) for name in tasks}
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

    loaded, frames = load_policy(policy), []
    scene = scene_seed(seed, 0, test=True)
    trial = rollout(loaded, env_of(loaded, task), scene, instruction=instruction, film=frames)
    film_strip(frames, f"“{trial.instruction}”").savefig(out, dpi=90)
    print(f"“{trial.instruction}”: goal conditions {trial.goal_conditions}; film: {out}")


def samples() -> None:
    """Make data_samples/ again: a few episodes of each task, a trained policy, and their checksums."""
    from vla_course.samples import make_samples

    make_samples(Path.cwd())


def notebooks(check: bool = False, only: str = "") -> None:
    """Run lessons and solutions and store their outputs, with launch badges for this repository's address.

    Args:
        only: run those whose names start so, such as week03.
        check: run nothing; fail if a badge or a set-up cell is not what this command would write.
    """
    from vla_course.notebooks import check_notebooks, run_notebooks

    if check:
        check_notebooks(Path.cwd())
    else:
        run_notebooks(Path.cwd(), only)


def release(check: bool = False, bundle: Path | None = None) -> None:
    """Generate exercises/ from solutions/.

    Args:
        check: write nothing; fail if an exercise is not what this command would write.
        bundle: also pack what a class receives into this zip file.
    """
    from vla_course.grading import release as made

    if check:
        made.check_release(Path.cwd())
        return
    for path in made.release(Path.cwd()):
        print(path.relative_to(Path.cwd()))
    if bundle is not None:
        made.bundle(Path.cwd(), bundle)
        print(bundle)


def check(exercise: Folder) -> None:
    """Run the checks of an exercise and show which tasks pass; status 0 when all do.

    Args:
        exercise: your notebook.
    """
    from vla_course.grading.check import check as examine

    sys.exit(min(1, examine(exercise)))


def grade(
    submissions: Folder,
    week: str,
    out: Path = Path("grades"),
    seed: int | None = None,
    jobs: Annotated[int, tyro.conf.arg(aliases=["-j"])] = 2,
    sandbox: Literal["bubblewrap", "docker", "podman"] = "bubblewrap",
    no_sandbox: bool = False,
    due: str | None = None,
    late: float = 0,
    regrade: tuple[str, ...] = (),
) -> None:
    """Grade a class; goes on where an earlier call was stopped.

    Args:
        submissions: folder or zip file: <student>/weekNN_topic.ipynb, nbgrader's tree, or what an LMS packs.
        week: such as 08.
        out: folder of the grades; OUT/adjustments.csv holds your own changes.
        seed: of the probes; by default that of the earlier call, else a fresh one.
        jobs: submissions at once.
        sandbox: what keeps a submission in.
        no_sandbox: trust every submission with your account; every report says so.
        due: when it was due, such as 2026-11-20T23:59; without an offset, in this machine's time zone.
        late: percent of the points that each started day after that costs.
        regrade: students to grade anew.
    """
    from vla_course.grading.processes import find_solution, warm_up

    solution = find_solution(Path.cwd(), week)
    warm_up(solution)  # while this process imports the rest
    from vla_course.grading.grade import grade as run
    from vla_course.grading.publish import late_rule, publish

    rule = late_rule(due, late)
    batch, results = run(submissions, solution, out, seed, jobs, "none" if no_sandbox else sandbox, regrade)
    print(publish(batch, results, rule))


COMMANDS = {
    command.__name__: command
    for command in (
        *(demo, doctor, collect, teleop, bags, verify, inspect, replay, convert, train, evaluate, ablate, watch),
        *(check, grade, release, samples, notebooks),
    )
}


def main() -> None:
    """Run one command. Bad input ends in one line and status 2, never in a traceback."""
    try:
        tyro.extras.subcommand_cli_from_dict(COMMANDS, prog="vla-course", description=__doc__)
    except CourseError as error:
        print(f"vla-course: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # the reader, such as "head", has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains once more at its end
        sys.exit(141)
    except OSError as error:
        print(f"vla-course: {error.filename}: {error.strerror}; check the path and the free space", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("vla-course: stopped; the same command goes on from here", file=sys.stderr)
        sys.exit(130)
