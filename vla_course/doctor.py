"""Is this machine ready for the course? Each check is one line: what is wrong, and what to do.

`vla-course doctor` runs them. Where the command itself does not start, `python -m vla_course.doctor` does.
"""

import functools
import importlib
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # each check imports what it needs itself, so that a missing package is a finding
    from packaging.requirements import Requirement

INSTALL = 'run "make clean setup", or install environment.yml again'
GIGABYTE = 1e9
MEMORY_TOTAL, MEMORY_FREE = 4 * GIGABYTE, 2 * GIGABYTE  # bytes; the demo takes up to 2 GB
CORES = 2
WAYPOINT = (0.45, 0.10, 0.25, 0.0, 0.0, 0.0, 1.0)  # metres, radians, gripper open
REACHED = 0.01  # metres

# Packages whose module has another name than they have.
MODULES = {"pillow": "PIL"}


@dataclass(frozen=True)
class Check:
    """What was found out about one need of the course.

    Attributes:
        name: the need.
        ok: whether it is met.
        message: what is there, or what is wrong.
        remedy: what to do; empty where all is well.
    """

    name: str
    ok: bool
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        line = f"{'ok' if self.ok else 'WRONG':6} {self.name:16} {self.message}"
        return f"{line}; {self.remedy}" if self.remedy else line


def checks() -> list[Check]:
    """Look at everything that the course needs. Most of the time, up to half a minute, goes into imports."""
    return [
        _check("Python", _python, "install Python 3.11 and set up again"),
        *_packages(),
        _check("memory", _memory, "close other programs, or use a machine with more"),
        _check("cores", _cores, "everything works, at half the speed; give the machine or container two"),
        _check("current folder", lambda: _writable(os.getcwd), "change to a folder that you may write to"),
        _check("temporary folder", lambda: _writable(tempfile.gettempdir), "set TMPDIR to one you may write to"),
        _check("render", _render, INSTALL),
        _check("physics", _physics, INSTALL),
    ]


def main() -> int:
    """Print the checks.

    Returns:
        The exit status: 0 when all is well, else 1.
    """
    found = checks()
    print(*found, sep="\n")
    wrong = sum(not check.ok for check in found)
    print(f"\n{wrong} of {len(found)} checks failed" if wrong else "\nready for the course")
    return int(wrong > 0)


def _check(name: str, look: Callable[[], str], remedy: str) -> Check:
    """Turn what `look` returns or raises into a line. On a broken machine any exception may come."""
    try:
        return Check(name, True, look())
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        return Check(name, False, reason, remedy)


def _python() -> str:
    from packaging.specifiers import SpecifierSet

    wanted = SpecifierSet(metadata.metadata("vla-course")["Requires-Python"])
    version = platform.python_version()
    if version not in wanted:
        raise RuntimeError(f"this is {version}, and the course needs {wanted}")
    return version


def _packages() -> list[Check]:
    """One check for each package that is wrong, or a single one if none is."""
    try:
        from packaging.requirements import Requirement

        needed = [Requirement(line) for line in metadata.requires("vla-course") or ()]
    except (ImportError, metadata.PackageNotFoundError) as error:
        return [Check("packages", False, str(error), INSTALL)]
    # The conda-forge build of PyBullet has a number of its own; "render" and "physics" tell whether it works.
    needed = [
        package
        for package in needed
        if not package.name.startswith("pybullet")
        and (package.marker is None or package.marker.evaluate({"extra": ""}))
    ]
    found = [_check(package.name, functools.partial(_package, package), INSTALL) for package in needed]
    wrong = [check for check in found if not check.ok]
    return wrong or [Check("packages", True, f"{len(found)} that the course needs, versions in range")]


def _package(package: "Requirement") -> str:
    """Check that a required package is installed, of a version in its range, and not broken."""
    try:
        version = metadata.version(package.name)
    except metadata.PackageNotFoundError:
        raise RuntimeError("is not installed") from None
    if not package.specifier.contains(version, prereleases=True):
        raise RuntimeError(f"version {version} is installed, and the course needs {package.specifier}")
    importlib.import_module(MODULES.get(package.name, package.name.replace("-", "_")))
    return version


def _memory() -> str:
    import psutil

    memory = psutil.virtual_memory()
    message = f"{memory.total / GIGABYTE:.1f} GB, {memory.available / GIGABYTE:.1f} GB of it free"
    if memory.total < MEMORY_TOTAL or memory.available < MEMORY_FREE:
        needed = f"{MEMORY_TOTAL / GIGABYTE:.0f} GB with {MEMORY_FREE / GIGABYTE:.0f} GB free"
        raise RuntimeError(f"{message}, and the course needs {needed}")
    return message


def _cores() -> str:
    import joblib

    cores = joblib.cpu_count()  # those that this process may use
    if cores < CORES:
        raise RuntimeError(f"{cores} for this process, and the course's times are for {CORES}")
    return str(cores)


def _writable(find: Callable[[], str]) -> str:
    """Write a file into the folder that `find` returns."""
    folder = find()
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
    except OSError as error:
        raise RuntimeError(f"{folder} cannot be written: {error.strerror}") from None
    return f"{folder} can be written"


def _render() -> str:
    from vla_course.sim.env import TabletopEnv

    env = TabletopEnv(cameras=("front",), image_size=64)
    try:
        picture = env.reset(seed=0)[0]["front"]  # (64, 64, 3) uint8
    finally:
        env.close()
    if picture.min() == picture.max():
        raise RuntimeError(f"the front camera's picture is empty: every pixel is {picture.min()}")
    return "the front camera sees the table"


def _physics() -> str:
    import numpy as np

    from vla_course.sim.env import TabletopEnv

    env = TabletopEnv(action_mode="waypoint", cameras=())
    try:
        env.reset(seed=0)
        state = env.step(np.array(WAYPOINT))[0]["state"]
    finally:
        env.close()
    distance = np.linalg.norm(state[:3] - WAYPOINT[:3])  # metres
    if not distance < REACHED:
        raise RuntimeError(
            f"the robot stopped {distance * 1000:.0f} mm from its waypoint, more than {REACHED * 1000:.0f} mm"
        )
    return f"the robot reached its waypoint to {distance * 1000:.1f} mm"


if __name__ == "__main__":
    sys.exit(main())
