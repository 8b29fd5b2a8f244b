"""The doctor: all is well here, and each thing that can be wrong is named with its remedy."""

import platform
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import pytest

from vla_course import doctor
from vla_course.sim import cameras
from vla_course.sim.cameras import View


def wrong(name: str) -> doctor.Check:
    """The only check that fails, which must be `name`."""
    failed = [check for check in doctor.checks() if not check.ok]
    assert [check.name for check in failed] == [name]
    assert failed[0].remedy
    assert "\n" not in str(failed[0])
    assert failed[0].remedy in str(failed[0])
    return failed[0]


def test_all_is_well_here() -> None:
    found = {check.name: check for check in doctor.checks()}
    assert [str(check) for check in found.values() if not check.ok] == []
    assert list(found) == [
        "Python",
        "packages",
        "memory",
        "cores",
        "current folder",
        "temporary folder",
        "render",
        "physics",
    ]
    assert all(check.message and not check.remedy for check in found.values())


def test_main_prints_each_check_and_returns_zero(capsys: pytest.CaptureFixture) -> None:
    assert doctor.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("ok") for line in lines) == 8
    assert lines[-1] == "ready for the course"


def test_main_returns_one_when_a_check_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr(doctor, "CORES", 10**6)
    assert doctor.main() == 1
    out = capsys.readouterr().out
    assert "WRONG  cores" in out
    assert "1 of 8 checks failed" in out


def test_python_of_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "python_version", lambda: "3.10.1")
    check = wrong("Python")
    assert "3.10.1" in check.message
    assert ">=3.11" in check.message


def test_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: ["no-such-package>=1"])
    check = wrong("no-such-package")
    assert check.message == "is not installed"
    assert check.remedy == doctor.INSTALL


def test_package_of_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: ["numpy<1"])
    assert metadata.version("numpy") in wrong("numpy").message


def test_package_that_does_not_import(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "broken_wheel-1.0.dist-info").mkdir()
    (tmp_path / "broken_wheel-1.0.dist-info" / "METADATA").write_text("Name: broken-wheel\nVersion: 1.0\n")
    (tmp_path / "broken_wheel.py").write_text("raise RuntimeError('operator nms\\ndoes not exist')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(metadata, "requires", lambda _: ["broken-wheel>=1"])
    assert wrong("broken-wheel").message == "operator nms does not exist"


def test_package_for_another_system_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: ["no-such-package; python_version < '3'"])
    assert [check.ok for check in doctor.checks()] == [True] * 8


def test_course_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", absent)
    assert "vla-course" in wrong("packages").message


def test_packaging_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("packaging.requirements", "packaging.specifiers"):
        monkeypatch.setitem(sys.modules, name, None)  # Python's own mark of a module that cannot be had
    failed = {check.name: check for check in doctor.checks() if not check.ok}
    assert set(failed) == {"Python", "packages"}
    assert all("packaging" in check.message for check in failed.values())


@pytest.mark.parametrize("limit", ["MEMORY_TOTAL", "MEMORY_FREE"])
def test_memory_that_is_too_small(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, limit, 10**15)
    assert "1000000 GB" in wrong("memory").message


def test_current_folder_that_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert "No such file or directory" in wrong("current folder").message


def test_temporary_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    monkeypatch.setattr(tempfile, "tempdir", str(file))
    assert str(file) in wrong("temporary folder").message


def test_camera_that_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sky = View(eye=(0.0, 0.0, 5.0), target=(0.0, 0.0, 9.0), up=(1.0, 0.0, 0.0), fov=30.0)
    monkeypatch.setattr(cameras, "FRONT", sky)
    assert "empty" in wrong("render").message


def test_robot_that_does_not_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "REACHED", 1e-9)
    assert "mm from its waypoint" in wrong("physics").message
