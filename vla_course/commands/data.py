"""Commands that make, check and change demonstrations."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

from vla_course.errors import CourseError

Folder = Annotated[Path, tyro.conf.Positional]
Camera = Literal["front", "wrist", "overhead"]
Modality = Literal["rgb", "depth", "segmentation"]
Sensor = Literal["lidar", "imu", "wrench", "joint_state"]


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
        robot: panda, kuka or xarm6; several with commas between them take turns.
        action_mode: one action for each waypoint, or ten a second.
        noise: how much each action of the ten a second is disturbed; 0.1 is a lot.
        vary: what differs from scene to scene, such as light table=unseen.
        sensors: what records beside the cameras and the joints' angles.
    """
    from vla_course.collection.scripted import collect as record
    from vla_course.sim.variety import axes

    looks = (cameras, modalities, image_size, robot, action_mode, noise, axes(vary), sensors)
    metadata = record(out, task, episodes, seed, workers, *looks)
    print(f"{metadata['episodes']} episodes, {metadata['steps']} steps in {out}")


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
