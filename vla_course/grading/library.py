"""The vla_course that a student's kernel imports: a copy in which what the tasks ask for raises."""

import ast
import compileall
import shutil
from collections.abc import Iterable
from pathlib import Path

import vla_course
from vla_course.errors import CourseError

PACKAGE = Path(vla_course.__file__).parent


def switch_off(source: str, names: set[str]) -> str:
    """Python source in which the bodies of some functions and classes are one line that raises.

    Args:
        source: of a module.
        names: such as {"success_rate", "SuccessRate.wilson_95"}.

    Raises:
        CourseError: the module defines no such function or class.
    """
    lines, missing = source.splitlines(), set(names)
    found: list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]] = []

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.append((prefix + node.name, node))
                visit(node.body, f"{prefix}{node.name}.")

    visit(ast.parse(source).body, "")
    for name, node in reversed(found):  # from the end, so that earlier line numbers stay right
        if name in names:
            first, last = node.body[0], node.body[-1]
            missing.discard(name)
            indent = " " * first.col_offset
            raising = (
                f'{indent}raise RuntimeError("{name} is switched off: this exercise asks you to write it yourself")'
            )
            if isinstance(node, ast.ClassDef):
                raising = f"{indent}def __init__(self, *_, **__):\n    {raising}"
            lines[first.lineno - 1 : last.end_lineno] = [raising]
    if missing:
        raise CourseError(f"may_not_use names {sorted(missing)[0]!r}, which that module does not define; correct it")
    return "\n".join(lines) + "\n"


def student_library(folder: Path, may_not_use: Iterable[str]) -> Path:
    """Write the copy, and compile it.

    Args:
        folder: where; any user may read it afterwards.
        may_not_use: objects as "module:name".

    Returns:
        The folder to put on Python's path.

    Raises:
        CourseError: a name that the library does not have.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(PACKAGE, folder / "vla_course", ignore=shutil.ignore_patterns("__pycache__", "grading"))
    by_module: dict[str, set[str]] = {}
    for name in may_not_use:
        module, _, member = name.partition(":")
        by_module.setdefault(module, set()).add(member)
    for module, names in by_module.items():
        path = folder.joinpath(*module.split(".")).with_suffix(".py")
        if not path.exists():
            raise CourseError(f"may_not_use names the module {module!r}, which the library does not have; correct it")
        path.write_text(switch_off(path.read_text(), names))
    compileall.compile_dir(folder, quiet=2, stripdir=str(folder))
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder
