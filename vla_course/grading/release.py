"""From solutions/ to exercises/, and to the zip that a class receives."""

import copy
import json
import subprocess
import zipfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from vla_course.errors import CourseError
from vla_course.grading.cells import Solution, code_cells, part, read_solution, stub
from vla_course.grading.compare import printed
from vla_course.grading.results import write_whole
from vla_course.notebooks import solutions

# Folders of the repository that a class does not receive. tests/ holds wrong answers, and an exercise with its probes.
WITHHELD = ("solutions", "tests", "submissions", "grades")
CLASS_FOLDER = "vla-course"  # what the zip unpacks to


def exercise(solution: Solution) -> NotebookNode:
    """The notebook that a student fills in.

    A check keeps what the solution printed, as its stored output for the reader and as `vla_course.expected` for
    `grading.check`, since a student's own run overwrites the output. It keeps `measure` as well: that says what the
    prompt says, and no seed, so that there is nothing to hide. `may_not_use` stays, it is a rule for the student.

    Raises:
        CourseError: a check of the solution has printed nothing yet.
    """
    notebook = copy.deepcopy(solution.notebook)
    notebook.cells = [cell for cell in notebook.cells if _role(cell) != "probe"]
    for cell in code_cells(notebook):
        if _role(cell) == "check":
            expected = printed(cell.outputs)
            if not expected.strip():
                raise CourseError(
                    f"{solution.path.name}: cell {cell.id!r}: a check prints, and this one stores no text; "
                    'run "vla-course notebooks"'
                )
            cell.metadata.setdefault("vla_course", NotebookNode())["expected"] = expected
            cell.metadata["jupyter"] = {"source_hidden": True}  # it names mistakes before the student makes them
            continue
        cell.outputs, cell.execution_count = [], None
        if _role(cell) == "answer":
            cell.source = stub(cell.source, part(cell.id)[0])
    return notebook


def _role(cell: NotebookNode) -> str | None:
    named = part(cell.id) if cell.cell_type == "code" else None
    return named[1] if named else None


def _exercises(root: Path) -> dict[Path, NotebookNode]:
    """What exercises/ shall hold."""
    found = solutions(root)
    if not found:
        raise CourseError(f"{root}: holds no solutions/week*.ipynb; exercises are made in the instructor's checkout")
    return {root / "exercises" / path.name: exercise(read_solution(path)) for path in found}


def _left_over(root: Path, wanted: dict[Path, NotebookNode]) -> list[Path]:
    return sorted(set((root / "exercises").glob("*.ipynb")) - set(wanted))


def _text(notebook: NotebookNode) -> str:
    return nbformat.writes(notebook) + "\n"


def release(root: Path) -> list[Path]:
    """Write exercises/ from solutions/, and remove exercises whose solution is gone.

    Returns:
        The exercises.

    Raises:
        CourseError: there is no solution, or one breaks a rule of `grading.cells`.
    """
    wanted = _exercises(root)
    for path, notebook in wanted.items():
        write_whole(path, _text(notebook))
    for path in _left_over(root, wanted):
        path.unlink()
    return list(wanted)


def check_release(root: Path) -> None:
    """That exercises/ is what `release` would write.

    Raises:
        CourseError: naming the first exercise that is not, and its first cell that differs.
    """
    wanted = _exercises(root)
    remedy = 'change the solution, not the exercise, then run "vla-course release"'
    for path, notebook in wanted.items():
        if not path.exists():
            raise CourseError(f"exercises/{path.name}: missing; {remedy}")
        found = path.read_text(encoding="utf-8", errors="replace")
        if found != _text(notebook):
            raise CourseError(f"exercises/{path.name}: {_difference(found, _text(notebook))}; {remedy}")
    for path in _left_over(root, wanted):
        raise CourseError(f"exercises/{path.name}: has no solution; {remedy}")


def _difference(found: str, wanted: str) -> str:
    """The first thing in which a file is not the wanted exercise."""
    here = {cell["id"]: cell for cell in json.loads(wanted)["cells"]}
    try:
        there = {cell["id"]: cell for cell in json.loads(found)["cells"]}
    except (ValueError, TypeError, KeyError):
        return "not a notebook whose cells have ids"
    for name in [*here, *there]:
        if name not in there:
            return f"cell {name!r} is missing"
        if name not in here:
            return f"cell {name!r} is too many"
        for key in sorted(here[name].keys() | there[name].keys()):
            if here[name].get(key) != there[name].get(key):
                return f"cell {name!r} has another {key}"
    elsewhere = [a for a, b in zip(there, here, strict=True) if a != b]
    return f"cell {elsewhere[0]!r} stands elsewhere" if elsewhere else "its own metadata or layout differs"


def bundle(root: Path, path: Path) -> None:
    """Pack what a class receives: all that git tracks, but no solutions, no tests, nothing handed in or graded.

    The same files give the same bytes.

    Args:
        root: the instructor's checkout.
        path: the zip to write.

    Raises:
        CourseError: `root` is no git checkout, a tracked file is gone, or the exercises are out of date.
    """
    check_release(root)
    try:
        listing = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise CourseError(f"{root}: git lists no files here; make the bundle in a git checkout of the course") from None
    tracked = {name for name in listing.decode().split("\0") if name}
    for file in _exercises(root):
        if file.relative_to(root).as_posix() not in tracked:
            raise CourseError(f'exercises/{file.name}: not tracked by git; run "git add exercises" first')
    names = sorted(name for name in tracked if name.split("/")[0] not in WITHHELD)
    for name in names:
        if (root / name).is_symlink() or not (root / name).is_file():
            raise CourseError(f'{name}: tracked by git, but no file here; run "git restore {name}"')
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            entry = zipfile.ZipInfo(f"{CLASS_FOLDER}/{name}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, so that permissions count
            entry.external_attr = (0o100755 if (root / name).stat().st_mode & 0o100 else 0o100644) << 16
            archive.writestr(entry, (root / name).read_bytes(), zipfile.ZIP_DEFLATED)
