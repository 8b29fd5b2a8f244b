"""A solution that breaks a rule is refused, with the cell and the rule."""

from pathlib import Path

import nbformat
import pytest

from vla_course.errors import CourseError
from vla_course.grading.cells import SEED_LINE, read_solution

WEEK99 = Path(__file__).parent / "course" / "solutions" / "week99_vectors.ipynb"


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("interval-probe", {"source": "print(wilson(1, 2))"}, "a probe starts with the line"),
        ("interval-probe", {"source": f"{SEED_LINE}\nassert(wilson(1, 2)); print(1)"}, "judges nothing"),
        ("interval-probe", {"source": f"{SEED_LINE}\nprint(np.allclose(1, 2))"}, "judges nothing"),
        ("interval-probe", {"source": f"{SEED_LINE}\nprint("}, "does not parse"),
        ("interval-answer", {"source": "def wilson(k, n): ..."}, "the answer stands between the lines"),
        ("interval-check", {"metadata": {"nbgrader": {"points": 0}}}, "needs points above 0"),
        ("plan-check", {"metadata": {"vla_course": {"measure": {"kind": "actions"}}}}, "a measure needs kind, file"),
        ("plan-check", {"metadata": {"nbgrader": {"points": 4}}}, "a task needs a probe or a measure"),
    ],
)
def test_a_rule_that_is_broken_is_named(name, change, told, tmp_path):
    notebook = nbformat.read(WEEK99, as_version=4)
    next(cell for cell in notebook.cells if cell.id == name).update(nbformat.from_dict(change))
    nbformat.write(notebook, tmp_path / WEEK99.name)
    with pytest.raises(CourseError, match=f"week99_vectors.ipynb: cell '{name}': .*{told}"):
        read_solution(tmp_path / WEEK99.name)
