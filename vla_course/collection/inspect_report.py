"""The inspection of a data set: a page that a person reads, and inspect.json for programs.

The numbers of all episodes are read, their pictures only for the film strips, and body ids where they were recorded.
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from tqdm.auto import tqdm

from vla_course.collection.figures import Examiner, Figures, advice
from vla_course.data import quality
from vla_course.data.episodes import FRAME_FOLDERS, REMEDY, read_labels, read_steps
from vla_course.data.files import read_file, replace_file
from vla_course.data.pictures import decode_picture, encode_picture
from vla_course.data.store import read_metadata, require_episodes
from vla_course.errors import CourseError

STRIPS, FRAMES = 3, 8  # film strips of each kind, and pictures in each
THUMBNAIL = 96  # pixels, about
BARS = 12
MOST_LINES = 200  # of advice on the page; inspect.json has all


def inspect(root: Path, out: Path) -> dict:
    """Judge the demonstrations of a data set, and write `out/inspect.html` and `out/inspect.json`.

    Args:
        root: the data set.
        out: folder of the two files.

    Returns:
        What inspect.json holds: "tasks" (episodes, successes and balance of each), "coverage" (of each dimension of the
        action, None where its limits are unknown), "duplicates" (pairs of names), "advice" (a list of lines) and
        "episodes" (the figures of each).

    Raises:
        CourseError: no data set, a damaged episode, or `out` cannot be written.
    """
    metadata, folders = read_metadata(root), require_episodes(root)
    examiner = Examiner(metadata)
    figures, actions, trajectories = [], [], []
    for folder in tqdm(folders, "inspect", unit="episode", leave=False):
        steps = read_steps(folder)
        figures.append(examiner.figures(folder, read_labels(folder), steps))
        actions.append(steps["action"])
        trajectories.append(np.column_stack([steps["state"][:, :6], steps.get("executed", steps["action"])[:, -1]]))
    limits = examiner.action_limits(figures[0])
    examiner.close()
    coverage = limits and quality.action_coverage(np.concatenate(actions), *limits)
    again = quality.find_duplicates([f.instruction for f in figures], trajectories)
    names = metadata.get("features", {}).get("action", {}).get("names") or [str(i) for i in range(actions[0].shape[1])]
    shares = coverage and zip(
        names, coverage.visited.round(3).tolist(), coverage.saturated.round(4).tolist(), strict=True
    )
    found = {
        "data_set": root.resolve().name,
        "tasks": _tasks(figures),
        "coverage": shares and [{"name": name, "visited": v, "saturated": s} for name, v, s in shares],
        "duplicates": [(figures[i].name, figures[j].name) for i, j in again],
    }
    found["advice"] = advice(figures, found)
    found["episodes"] = [asdict(f) for f in figures]
    drawn = {"histograms": _histograms(figures), "strips": _strips(root, metadata, figures)}
    page = _templates().get_template("inspect.html").render(**found, **drawn, most=MOST_LINES)
    try:
        out.mkdir(parents=True, exist_ok=True)
        replace_file(out / "inspect.json", (json.dumps(found, indent=1, allow_nan=False) + "\n").encode())
        replace_file(out / "inspect.html", page.encode())
    except OSError as error:
        raise CourseError(f"{out}: cannot be written: {error.strerror}; free space or choose another folder") from error
    return found


def _tasks(figures: Sequence[Figures]) -> dict[str, dict]:
    counts, successes = Counter(f.task for f in figures), Counter(f.task for f in figures if f.success)
    balance = quality.task_balance([f.task for f in figures])
    return {t: {"episodes": counts[t], "successes": successes[t], "balance": round(balance[t], 3)} for t in balance}


def _histograms(figures: Sequence[Figures]) -> list[dict]:
    """Of each figure that was measured: title, smallest and largest value, and the height of each bar, 0 to 100."""
    columns = {
        "duration, s": [f.seconds for f in figures],
        "idle, s": [f.idle_start + f.idle_inside + f.idle_end for f in figures],
        "path, times the straight line": [f.path_ratio for f in figures],
        "smoothness (log dimensionless jerk)": [f.jerk for f in figures],
    }
    drawn = []
    for title, values in columns.items():
        known = [value for value in values if value is not None]
        if known:
            counts, edges = np.histogram(known, BARS)
            drawn.append({"title": title, "low": edges[0], "high": edges[-1], "most": int(counts.max()),
                          "bars": (100 * counts / counts.max()).tolist()})  # fmt: skip
    return drawn


def _strips(root: Path, metadata: dict, figures: Sequence[Figures]) -> list[dict]:
    """Film strips of the best, the worst, and failures: heading, caption and pictures as data URIs."""
    stream = next((c for c in metadata.get("cameras", ()) if "rgb" in metadata.get("modalities", ("rgb",))), None)
    if stream is None:
        return []
    smooth = any(f.jerk is not None for f in figures)
    best, worst = ("Smoothest", "Least smooth") if smooth else ("Most direct", "Longest way round")
    ranked = _ranked(figures, (lambda f: f.jerk and -f.jerk) if smooth else (lambda f: f.path_ratio))
    chosen = [(best, f) for f in ranked[:STRIPS]] + [(worst, f) for f in ranked[STRIPS:][-STRIPS:][::-1]]
    chosen += [("Failure", f) for f in [f for f in figures if f.success is False][:STRIPS]]
    return [
        {"heading": heading, "episode": f, "pictures": _pictures(root / "episodes" / f.name, stream, f.rows)}
        for heading, f in chosen
    ]


def _ranked(figures: Sequence[Figures], cost: Callable[[Figures], float | None]) -> list[Figures]:
    """The episodes whose cost is known, the lowest first, each compared with the median of its task."""
    known = [f for f in figures if cost(f) is not None]
    usual = {task: np.median([cost(f) for f in known if f.task == task]) for task in {f.task for f in known}}
    return sorted(known, key=lambda f: cost(f) - usual[f.task])


def _pictures(folder: Path, stream: str, rows: int) -> list[str]:
    uris = []
    for i in np.unique(np.linspace(0, rows - 1, FRAMES).round().astype(int)):
        name = f"{FRAME_FOLDERS[stream]}/frame_{i:04d}.jpg"
        try:
            picture = decode_picture(read_file(folder, name), name, stream)
        except ValueError as error:
            raise CourseError(f"{folder.name}: {error}; {REMEDY}") from error
        every = max(1, len(picture) // THUMBNAIL)
        small = encode_picture(np.ascontiguousarray(picture[::every, ::every]), stream)
        uris.append("data:image/jpeg;base64," + base64.b64encode(small).decode())
    return uris


def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["sha256"] = lambda text: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    templates.filters["figure"] = lambda value, digits=1: "–" if value is None else f"{value:.{digits}f}"
    templates.filters["percent"] = lambda value: "–" if value is None else f"{100 * value:.0f}%"
    return templates
