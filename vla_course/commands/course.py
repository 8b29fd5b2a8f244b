"""Commands for those who learn, teach, or keep the course."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

Folder = Annotated[Path, tyro.conf.Positional]


def doctor() -> None:
    """Check that this machine can run the course, and say what to do where it cannot."""
    from vla_course.doctor import main as examine

    sys.exit(examine())


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
