"""The small data that ships with the course: `vla-course samples` makes it again, all but the policy for every task.

data_samples/demonstrations/<task>/     three episodes with every camera and modality
data_samples/policies/first_policy/     the policy of the demo with seed 0
data_samples/policies/multitask/        one policy for every task, which `python -m benchmarks.multitask` makes
data_samples/SHA256SUMS                 checksums of all
results/demo.json                       the demo's figures, which README and lessons quote
docs/robot_at_work.png                  the picture on the README's first screen
"""

import hashlib
import json
import shutil
from pathlib import Path

from vla_course.collection.scripted import collect
from vla_course.demo import run_demo
from vla_course.errors import CourseError

SAMPLES = Path("data_samples")
TASKS = ("pick", "place", "push_left", "push_right")
COMMAND = "VLA_COURSE_SCALE=student vla-course samples"


def make_samples(checkout: Path) -> None:
    """Make the sample data again, in the checkout of the course.

    Args:
        checkout: the course's own folder.

    Raises:
        CourseError: `checkout` is something else.
    """
    if not (checkout / "vla_course").is_dir():
        raise CourseError(f"{checkout}: is not a checkout of the course; run this in one")
    samples = checkout / SAMPLES
    for made in (samples / "demonstrations", samples / "policies" / "first_policy"):
        shutil.rmtree(made, ignore_errors=True)
    for task in TASKS:
        collect(
            samples / "demonstrations" / task,
            task,
            episodes=3,
            cameras=("front", "wrist"),
            modalities=("rgb", "depth", "segmentation"),
        )
    run = checkout / "runs" / "samples"
    shutil.rmtree(run, ignore_errors=True)  # what other code recorded is not gone on with
    summary = run_demo(0, run)
    shutil.copytree(run / "policy", samples / "policies" / "first_policy")
    (checkout / "docs").mkdir(exist_ok=True)
    shutil.copy(run / "robot_at_work.png", checkout / "docs")
    (checkout / "results").mkdir(exist_ok=True)
    (checkout / "results" / "demo.json").write_text(json.dumps(results_file(summary), indent=1) + "\n")
    write_digests(samples)


def results_file(summary: dict) -> dict:
    """A demo's report in the form of a results file: command, seed, machine, and a row for each condition."""
    minutes = round(summary["seconds"]["total"] / 60, 2)
    rows = [{"name": "as trained", **summary}, *({"name": n, **c} for n, c in summary["controls"].items())]
    return {
        "command": COMMAND,
        "seed": summary["seed"],
        "machine": summary["machine"],
        "parameters": summary["parameters"],
        "demonstrations": summary["demonstrations"],
        "seconds": summary["seconds"],
        "peak_memory_mb": summary["peak_memory_mb"],
        "rows": [
            {
                "name": row["name"].replace("_", " "),
                **{key: row[key] for key in ("successes", "trials", "wilson_95", "named_object")},
                "minutes": minutes,
            }
            for row in rows
        ],
    }


def digests(samples: Path) -> dict[str, str]:
    """SHA-256 of every sample file, by its path inside `samples`."""
    files = sorted(p for p in samples.rglob("*") if p.is_file() and p.name != "SHA256SUMS" and "cache" not in p.parts)
    return {p.relative_to(samples).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def write_digests(samples: Path) -> None:
    """Write SHA256SUMS of the sample files as they are."""
    (samples / "SHA256SUMS").write_text("".join(f"{digest}  {name}\n" for name, digest in digests(samples).items()))


def check_samples(samples: Path) -> None:
    """Compare the sample files with their checksums.

    Raises:
        CourseError: one is missing, changed, or not listed.
    """
    lines = (samples / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    found = digests(samples)
    wrong = sorted(name for name in {*listed, *found} if listed.get(name) != found.get(name))
    if wrong:
        raise CourseError(
            f'{samples}: {", ".join(wrong)} differ from SHA256SUMS; restore with "git checkout {samples}"'
        )
