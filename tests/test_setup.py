"""The files that set the course up say the same thing, and importing the course stays cheap."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent

# What conda-forge calls differently. Its PyBullet is numbered like Bullet (3.25 is the index's 3.2.5) and
# covers every system, so that it stands for both of the index's packages.
CONDA_NAMES = {"huggingface-hub": "huggingface_hub", "matplotlib": "matplotlib-base", "torch": "pytorch"}
CONDA_OWN = {"pybullet>=3.25"}
INDEX_OWN = {"pybullet", "pybullet-arm64"}
CONDA_ONLY = {"python=3.11", "pip"}


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def dependencies() -> list[Requirement]:
    return [Requirement(line) for line in project()["dependencies"]]


def test_environment_yml_has_the_dependencies_of_pyproject_and_nothing_else() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    expected = CONDA_OWN | CONDA_ONLY
    for dependency in dependencies():
        name = canonicalize_name(dependency.name)
        if name not in INDEX_OWN:
            expected.add(f"{CONDA_NAMES.get(name, name)}{dependency.specifier}")
    assert environment["channels"] == ["conda-forge"]
    assert len(environment["dependencies"]) == len(expected)
    assert set(environment["dependencies"]) == expected


def test_every_dependency_has_a_pin_in_its_range() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    extras = project()["optional-dependencies"].values()
    for dependency in [*dependencies(), *(Requirement(line) for extra in extras for line in extra)]:
        name = canonicalize_name(dependency.name)
        assert name in pins, f"constraints.txt has no pin for {name}"
        assert dependency.specifier.contains(pins[name]), f"{name}=={pins[name]} is not in {dependency}"


def test_constraints_name_versions_and_no_host() -> None:
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert line.startswith("#") or re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line), line


def test_help_lists_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert [line.split()[1] for line in listed.splitlines()] == phony[1].split()


def test_makefile_takes_the_python_versions_of_pyproject() -> None:
    lower, upper = re.search(
        r"\((\d+, \d+)\) <= sys.version_info\[:2\] <= \((\d+, \d+)\)", (ROOT / "Makefile").read_text()
    ).groups()
    newest_minor = int(upper.split(", ")[1])
    assert project()["requires-python"] == f">={lower.replace(', ', '.')},<3.{newest_minor + 1}"


def test_importing_the_course_loads_neither_torch_nor_pybullet() -> None:
    code = "import sys, vla_course; print(sorted({'torch', 'pybullet'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
