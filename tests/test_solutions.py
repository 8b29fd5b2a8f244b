"""Solutions pass their own checks and probes, and every wrong answer that ships is rejected by name."""

import ast
import contextlib
import functools
import io
import re
from pathlib import Path

import pytest

from vla_course.grading.cells import SEED_LINE, Task, code_cells, part, read_solution
from vla_course.grading.compare import snap
from vla_course.notebooks import solutions

ROOT = Path(__file__).parent.parent
WRONG = ROOT / "tests" / "wrong_answers"
RIGHT = ROOT / "tests" / "right_answers"
SOLUTIONS = [read_solution(path) for path in solutions(ROOT)]
TASKS = [pytest.param(s, t, id=f"{s.name}-{t.name}") for s in SOLUTIONS for t in s.tasks]
SAYS = re.compile(r"# says: (.+)\n")


def answers(folder: Path) -> list:
    """Those that ship for each task."""
    return [
        pytest.param(s, t, path, id=f"{s.name}-{t.name}-{path.stem}")
        for s in SOLUTIONS
        for t in s.tasks
        for path in sorted((folder / s.name / t.name).glob("*.py"))
    ]


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells write into the working folder."""
    monkeypatch.chdir(tmp_path)


def test_every_wrong_answer_belongs_to_a_task():
    known = {WRONG / s.name / t.name for s in SOLUTIONS for t in s.tasks}
    assert {path.parent for path in WRONG.rglob("*.py")} == known


@pytest.mark.parametrize("solution, task", TASKS)
def test_a_task_ships_three_wrong_answers_each_with_a_message_of_its_own(solution, task):
    sources = [path.read_text() for path in (WRONG / solution.name / task.name).glob("*.py")]
    messages = [SAYS.match(source)[1] for source in sources]
    assert len(messages) >= 3
    assert len(set(messages)) == len(messages)
    assert not any(message in stored(task) for message in messages)


@pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda solution: solution.name)
def test_its_own_answers_print_what_is_stored(solution):
    names = namespace(solution.path)
    for task in solution.tasks:
        assert run(task.check.source, names) == stored(task), task.name


@pytest.mark.parametrize("solution, task", TASKS)
def test_its_own_answers_pass_probes_that_no_constant_passes(solution, task):
    if not task.probes:
        assert task.measure
        return
    printed = [probed(task, seed, namespace(solution.path)) for seed in (1, 2, 3)]
    assert len(set(printed)) == 3
    assert not re.search(r"\b(nan|inf)\b", "".join(printed), re.IGNORECASE)


@pytest.mark.parametrize("solution, task, path", answers(WRONG))
def test_a_wrong_answer_is_rejected_by_name(solution, task, path):
    names = dict(namespace(solution.path))
    exec(path.read_text(), names)
    message = SAYS.match(path.read_text())[1]
    lines, expected = run(task.check.source, names, until=message).splitlines(), stored(task).splitlines()
    assert message in next(line for line in lines if line not in expected)  # the one that the grader gives as reason
    if task.probes:  # the check alone could be passed by its own numbers
        assert probed(task, 1, names) != probed(task, 1, dict(namespace(solution.path)))


@pytest.mark.parametrize("solution, task", TASKS)
def test_a_task_ships_a_right_answer_in_another_style(solution, task):
    assert list((RIGHT / solution.name / task.name).glob("*.py"))


@pytest.mark.parametrize("solution, task, path", answers(RIGHT))
def test_a_right_answer_in_another_style_passes_whatever_the_seed(solution, task, path):
    """In loops, or with other precision: what it prints differs in the last digits, and must count as the same."""
    own, other = dict(namespace(solution.path)), dict(namespace(solution.path))
    exec(path.read_text(), other)
    if not task.measure:
        assert snap(run(task.check.source, other), stored(task)) == stored(task)
    for seed in range(2 if task.measure else 20):
        expected = probed(task, seed, own)
        assert snap(probed(task, seed, other), expected) == expected, seed


@functools.cache
def namespace(path: Path) -> dict:
    """Everything that the given cells and the answers define."""
    names: dict = {"__name__": "__main__"}
    for cell in code_cells(read_solution(path).notebook):
        if part(cell.id) is None or part(cell.id)[1] == "answer":
            run(cell.source, names)
    return names


def run(source: str, names: dict, until: str | None = None) -> str:
    """What a cell prints. Its later lines may train for seconds: with `until`, it ends once that is printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for statement in ast.parse(source).body:
            exec(compile(ast.Module([statement], []), "<cell>", "exec"), names)
            if until is not None and until in printed.getvalue():
                break
    return printed.getvalue()


def probed(task: Task, seed: int, names: dict) -> str:
    """What the probes of a task print; an answer that fails in one prints its error."""
    printed = ""
    for probe in task.probes:
        try:
            printed += run(probe.source.replace(SEED_LINE, f"GRADING_SEED = {seed}"), names)
        except Exception as error:  # a wrong answer may raise anything
            printed += repr(error)
    return printed


def stored(task: Task) -> str:
    """What the check printed when the solution was stored."""
    return "".join(output.text for output in task.check.outputs if output.get("name") == "stdout")
