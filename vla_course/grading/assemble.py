"""Put a student's answers into the solution notebook, and judge what the run printed."""

import copy
import hashlib
from pathlib import Path

import nbformat

from vla_course.errors import CourseError
from vla_course.grading.cells import SEED_LINE, Solution, Task, code_cells, part, stub
from vla_course.grading.compare import prints_more
from vla_course.grading.measure import Measure, measured
from vla_course.grading.results import CellResult, TaskResult
from vla_course.grading.run import Ran, Run
from vla_course.grading.traces import line_in


def assemble(solution: Solution, answers: dict[str, str], seed: int, expected: dict[str, str]) -> nbformat.NotebookNode:
    """The notebook that runs: the solution's given, check and probe cells, and a student's answers.

    Args:
        solution: where everything but the answers comes from.
        answers: task to source. A task without one gets its stub.
        seed: the grading seed; each probe draws from one of its own, so that one does not betray the next.
        expected: id of a check or probe cell to what it must print; empty when the solution itself runs.
    """
    notebook = copy.deepcopy(solution.notebook)
    notebook.cells = list(code_cells(notebook))
    for cell in notebook.cells:
        named = part(cell.id)
        if named and named[1] == "answer":
            cell.source = answers.get(named[0], stub(cell.source, named[0]))
        if named and named[1] == "probe":
            cell.source = cell.source.replace(SEED_LINE, f"GRADING_SEED = {probe_seed(seed, cell.id)}", 1)
        cell.metadata, cell.outputs, cell.execution_count = {}, [], None
        if cell.id in expected:
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=expected[cell.id])]
            cell.execution_count = 1
    return notebook


def probe_seed(seed: int, cell: str) -> int:
    """The seed of one probe cell."""
    return int.from_bytes(hashlib.sha256(f"{seed} {cell}".encode()).digest()[:4])


def judge(task: Task, answer: str | None, run: Run, expected: dict[str, str]) -> TaskResult:
    """What a task earned by its check and its probes. A measured task's points come from `judge_measure`."""
    result = TaskResult(task.name, task.title, 0, task.points, answer or "")
    for cell in (task.check, *task.probes):
        ran = run.cells.get(cell.id, Ran())
        kind = "check" if cell is task.check else "probe"
        reason = "" if ran.passed else _reason(task, answer, run, ran, expected[cell.id], kind)
        got = ran.printed + (f"{ran.error}\n" if ran.error else "")
        result.cells.append(CellResult(cell.id, kind, ran.passed, expected[cell.id], got, reason))
    if not task.measure and all(cell.passed for cell in result.cells):
        result.points = task.points
    return result


def judge_measure(result: TaskResult, measure: Measure, run: Run, seed: int, solved: Path) -> None:
    """Measure what a task handed in, and give its points; `solved` holds what the solution handed in."""
    cell = CellResult(f"{result.name}-measure", "measure", False, measure.wanted())
    handed_in = run.files.get(measure.file)
    try:
        rate = measured(measure, handed_in, seed, solved)
    except Exception as error:  # whatever the file made of its reader
        why = str(error)[:300] if isinstance(error, CourseError) else f"it cannot be read ({type(error).__name__})"
        first = next((cell.reason for cell in result.cells if cell.reason), "")
        cell.got = "nothing that can be measured"
        cell.reason = why if handed_in else run.ending or first or why
    else:
        result.points = measure.points(rate) if all(cell.passed for cell in result.cells) else 0
        cell.got = f"{rate} of the scenes that only the grader knew: {result.points:g} points"
        cell.passed = result.passed
        if not cell.passed:
            why = "" if all(other.passed for other in result.cells) else "; a check failed, so it earns nothing"
            cell.reason = f"it succeeded in {rate.successes} of {rate.trials} scenes{why}"
    result.cells.append(cell)


def _reason(task: Task, answer: str | None, run: Run, ran: Ran, expected: str, kind: str) -> str:
    """Why a cell did not pass, for the student."""
    written, ending = run.cells.get(task.answer.id, Ran()), run.ending
    line = line_in(answer or "", written.traceback or ran.traceback)
    where = f" (line {line} of your answer)" if line else ""
    if answer is None:
        return "there was no answer cell to grade"
    if (
        "NotImplementedError" in ran.error + written.error
        and answer.strip() == stub(task.answer.source, task.name).strip()
    ):
        return "not written yet"
    if "is switched off: this exercise asks" in ran.error + written.error:
        return f"it uses the library's own implementation: {(ran.error or written.error).split(': ', 1)[-1]}"
    if written.error:
        return f"the answer cell itself failed: {written.error}{where}"
    if ran.error:
        return f"it failed: {ran.error}{where}"
    if ending and not ran.printed:
        return f"the run was ended: {ending}"
    if prints_more(ran.printed, expected):
        return "the function prints something itself; take the print out, so that only the check prints"
    if not ran.printed:
        return "it printed nothing"
    if kind == "check":
        known, missing = expected.splitlines(), f"the run was ended: {ending}" if ending else "lines of it are missing"
        return next((line for line in ran.printed.splitlines() if line.strip() and line not in known), missing)
    seen = run.cells.get(task.check.id, Ran()).passed
    return "right on the examples that you saw, wrong on others" if seen else "wrong on other inputs too"
