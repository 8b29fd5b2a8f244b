"""What grading costs: the same ten cells by plain nbval, by this grader, and by nbgrader, in one run.

Run alone with: python -m benchmarks.grading
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from vla_course.grading.cells import code_cells
from vla_course.grading.release import release

STUDENTS = 8
CELLS = 10
SOURCE = Path(__file__).parents[1] / "tests/grading/course/solutions/week99_vectors.ipynb"
PROGRAMS = Path(sys.executable).parent


def ten_cells() -> nbformat.NotebookNode:
    """The exercise of the tests without its set-up line and without the task that is measured in physics."""
    notebook = nbformat.read(SOURCE, as_version=4)
    last = next(i for i, cell in enumerate(notebook.cells) if cell.id == "plan")
    notebook.cells = [cell for cell in notebook.cells[:last] if cell.id != "setup"]
    assert len(list(code_cells(notebook))) == CELLS
    return notebook


def timed(command: list[object], cwd: Path) -> float:
    """Seconds of a command that has to succeed."""
    environment = os.environ | {"PATH": f"{PROGRAMS}:{os.environ['PATH']}"}  # nbgrader calls alembic by name
    start = time.perf_counter()
    subprocess.run([str(word) for word in command], cwd=cwd, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


def plain_nbval(root: Path) -> float:
    """Seconds for the class in one pytest run."""
    for n in range(STUDENTS):
        (root / f"s{n}").mkdir(parents=True)
        nbformat.write(ten_cells(), root / f"s{n}" / SOURCE.name)
    options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, f"--confcutdir={root}"]
    options += ["--nbval", "--nbval-current-env"]
    return timed([PROGRAMS / "pytest", *options, *sorted(root.glob("s*/*.ipynb"))], root)


def this_grader(root: Path, *options: str) -> tuple[float, float]:
    """Seconds for the class; and for one submission more, from the difference to a class of one."""
    (root / "solutions").mkdir(parents=True)
    nbformat.write(ten_cells(), root / "solutions" / SOURCE.name)
    release(root)
    for group, count in (("all", STUDENTS), ("one", 1)):
        for n in range(count):
            (root / group / f"s{n}").mkdir(parents=True)
            nbformat.write(ten_cells(), root / group / f"s{n}" / SOURCE.name)
    command = [PROGRAMS / "vla-course", "grade", "--week", "99", "--seed", "1", *options]
    one = timed([*command, "one", "--out", "grades-one"], root)
    everyone = timed([*command, "all", "--out", "grades-all"], root)
    return everyone, (everyone - one) / (STUDENTS - 1)


def nbgrader(root: Path) -> tuple[float, float]:
    """Seconds of `nbgrader autograde` for the class; and for one submission more. Its release is not counted."""
    root.mkdir()
    (root / "nbgrader_config.py").write_text("c = get_config()\n")
    notebook = ten_cells()
    for cell in code_cells(notebook):
        if "probe" in cell.metadata.get("tags", []):
            more = {"grade": True, "grade_id": cell.id, "locked": True, "points": 1, "solution": False, "task": False}
            cell.metadata["nbgrader"] = {"schema_version": 3, **more}
    for assignment, count in (("one", 1), ("all", STUDENTS)):
        (root / "source" / assignment).mkdir(parents=True)
        nbformat.write(notebook, root / "source" / assignment / SOURCE.name)
        timed([PROGRAMS / "nbgrader", "generate_assignment", assignment], root)
        for n in range(count):
            (root / "submitted" / f"s{n}" / assignment).mkdir(parents=True)
            nbformat.write(notebook, root / "submitted" / f"s{n}" / assignment / SOURCE.name)
    one = timed([PROGRAMS / "nbgrader", "autograde", "one"], root)
    everyone = timed([PROGRAMS / "nbgrader", "autograde", "all"], root)
    return everyone, (everyone - one) / (STUDENTS - 1)


def main() -> None:
    """Print the ratios."""
    if not SOURCE.exists():
        print("grading: not measured, since this copy has no tests")
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        plain = plain_nbval(root / "plain") / STUDENTS
        ours, ours_more = this_grader(root / "ours", "-j", "1")
        trusting, trusting_more = this_grader(root / "trusting", "-j", "1", "--no-sandbox")
        parallel, parallel_more = this_grader(root / "parallel")
        theirs, theirs_more = nbgrader(root / "nbgrader")
    print(f"grading {CELLS} code cells, {STUDENTS} submissions one after the other:")
    print(f"  plain nbval, one pytest for all: {plain:.2f} s a submission")
    print(f"  vla-course grade: {ours_more / plain - 1:+.0%} against plain nbval for each further submission,")
    print(f"    {ours / STUDENTS / plain - 1:+.0%} with all that is done once: solution, reports ({ours:.1f} s in all)")
    print(f"  the sandbox alone: {ours_more / trusting_more - 1:+.0%} against --no-sandbox")
    print(f"  nbgrader autograde: {theirs / ours:.1f} times as long for the class ({theirs:.1f} s in all),")
    print(f"    {theirs_more / ours_more:.1f} times for each further submission")
    print(f"  and against vla-course grade with its own default of two at once: {theirs / parallel:.1f} times")
    print(f"    for the class ({parallel:.1f} s in all), {theirs_more / parallel_more:.1f} times for each further one")


if __name__ == "__main__":
    main()
