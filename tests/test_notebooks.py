"""Every lesson runs from top to bottom, and its claims hold; every solution prints what is stored."""

import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nbclient import NotebookClient
from scipy.spatial.transform import Rotation

from vla_course.evaluation.statistics import SuccessRate
from vla_course.models.policy import grounding_loss
from vla_course.notebooks import lessons, solutions
from vla_course.sim import cameras, low_poly
from vla_course.sim.env import TabletopEnv
from vla_course.sim.language import APART, describe
from vla_course.sim.tasks import TASKS

ROOT = Path(__file__).parent.parent
LESSONS = lessons(ROOT)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_the_lesson_runs_and_its_checked_outputs_hold(lesson):
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-cell-timeout=1800", "-q", lesson]
    environment = {**os.environ, "VLA_COURSE_SCALE": "ci", "OMP_NUM_THREADS": "1"}  # two tests share two cores
    result = subprocess.run([*command, "-p", "no:cacheprovider"], capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stdout[-6000:]


@pytest.mark.parametrize("solution", solutions(ROOT), ids=lambda path: path.stem)
def test_the_solution_runs_under_strict_nbval(solution, tmp_path):
    copy = shutil.copy(solution, tmp_path)  # its cells write into the working folder
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-cell-timeout=1800", "-q", copy]
    environment = {**os.environ, "VLA_COURSE_SCALE": "ci", "OMP_NUM_THREADS": "1"}
    result = subprocess.run([*command, "-p", "no:cacheprovider"], capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stdout[-6000:]


@pytest.mark.parametrize("exercise", sorted((ROOT / "exercises").glob("*.ipynb")), ids=lambda path: path.stem)
def test_an_unwritten_exercise_fails_in_its_checks_with_not_implemented_and_nowhere_else(exercise, tmp_path):
    notebook = nbformat.read(exercise, as_version=4)
    client = NotebookClient(notebook, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env={**os.environ, "VLA_COURSE_SCALE": "ci", "OMP_NUM_THREADS": "1"})
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    raised = {cell.id: output.ename for cell in code for output in cell.outputs if output.output_type == "error"}
    assert raised == {cell.id: "NotImplementedError" for cell in code if cell.id.endswith("-check")}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_the_lesson_is_made_as_the_template_says(lesson):
    assert lesson.stat().st_size <= 500_000
    notebook = nbformat.read(lesson, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    lengths = sorted(len([line for line in cell.source.splitlines() if line.strip()]) for cell in code)
    assert lengths[-1] <= 25 and lengths[len(lengths) // 2] <= 8
    assert any("NBVAL_CHECK_OUTPUT" in cell.source for cell in code)
    text = nbformat.writes(notebook)
    assert str(ROOT) not in text and "Traceback" not in text


def definitions(week: str, **given_names: object) -> dict:
    """What the cells of a lesson define that are marked "from-scratch"."""
    names: dict = {"torch": torch, "np": np, "math": math, **given_names}
    notebook = nbformat.read(ROOT / "notebooks" / f"{week}.ipynb", as_version=4)
    for cell in notebook.cells:
        if "from-scratch" in cell.metadata.get("tags", []):
            exec(cell.source, names)
    return names


definitions_of_week_8 = definitions("week08_behavior_cloning")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_the_losses_built_in_week_8_are_the_librarys(seed, batch):
    built, rng = definitions_of_week_8, torch.Generator().manual_seed(seed)
    logits, pixel = torch.randn(batch, 16, 16, generator=rng), torch.rand(batch, 2, generator=rng)
    expected = grounding_loss(logits, pixel)
    assert torch.allclose(built["grounding_loss_from_scratch"](logits, pixel), expected, atol=1e-4)
    actions, wanted = torch.randn(2, batch, 5, 7, generator=rng)
    is_pad = torch.zeros(batch, 5, dtype=torch.bool)
    is_pad[:, 3:] = True
    assert torch.allclose(built["action_loss"](actions, wanted, is_pad), (actions - wanted)[:, :3].abs().mean())


@settings(deadline=None)  # the first call imports scipy
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_built_in_week_8_is_the_librarys(counts):
    assert definitions_of_week_8["wilson"](*counts) == pytest.approx(SuccessRate(*counts).wilson_95, abs=1e-6)


definitions_of_week_1 = definitions("week01_robot_world", Rotation=Rotation, ElementTree=ElementTree, low_poly=low_poly)


@pytest.mark.parametrize("name", ["panda", "kuka", "xarm6"])
def test_the_kinematics_built_in_week_1_are_the_simulators(name):
    built, rng = definitions_of_week_1, np.random.default_rng(0)
    env = TabletopEnv("pick", robot=name, action_mode="joint_position", cameras=())
    env.reset(seed=0)
    robot = env.world.robot
    frames, home = built["joint_frames"](robot), np.array(robot.model.home)
    for _ in range(3):
        env.step(np.append(home + rng.uniform(-0.3, 0.3, len(home)), 1))
        here, facing = built["forward"](frames, robot.joint_positions())
        place, quaternion = robot.tool_pose()
        assert np.allclose(here + robot.model.base, place, atol=1e-5)
        assert (facing * Rotation.from_quat(quaternion).inv()).magnitude() < 1e-5
    goal, yaw = np.array([0.50, -0.10, 0.10]), 0.3
    down = Rotation.from_euler("z", yaw) * Rotation.from_euler("x", np.pi)
    error = built["pose_error"](frames, goal - robot.model.base, down)
    path = built["inverse"](error, home)
    assert len(path) <= 12 and np.linalg.norm(error(path[-1])) <= 1e-4
    env.reset(seed=0)
    assert np.linalg.norm(error(robot.inverse_kinematics(goal, np.array([0, 0, yaw])))[:3]) < 0.003
    env.close()


@settings(max_examples=30, deadline=None)
@given(st.tuples(st.floats(-3, 3), st.floats(-3, 3)))
def test_the_jacobian_built_in_week_1_is_that_of_the_planar_arm(angles):
    built, (a, b) = definitions_of_week_1, angles
    _, elbow, (x, y) = built["two_links"](np.array([a, b]))
    exact = [[-y, -(y - elbow[1])], [x, x - elbow[0]]]
    assert np.allclose(built["jacobian"](lambda q: built["two_links"](q)[2], np.array([a, b])), exact, atol=1e-8)
    assert math.hypot(x, y) == pytest.approx(math.sqrt(0.3**2 + 0.25**2 + 2 * 0.3 * 0.25 * math.cos(b)))


POINT = st.tuples(st.floats(0.2, 0.8), st.floats(-0.4, 0.4), st.floats(0, 0.4))


@given(st.sampled_from([cameras.FRONT, cameras.OVERHEAD, cameras.SPECTATOR]), POINT, st.floats(0.05, 2.4))
def test_the_pinhole_built_in_week_1_is_the_librarys_and_unproject_its_inverse(view, point, metres):
    built = definitions_of_week_1
    assert np.allclose(built["pinhole"](view, np.array(point)), view.project(np.array(point)), atol=1e-4)
    cloud = built["unproject"](view, np.full((8, 8), metres))
    u, v = np.moveaxis(built["pinhole"](view, cloud), -1, 0)
    assert np.allclose(u * 8 - 0.5, np.arange(8)) and np.allclose(v * 8 - 0.5, np.arange(8)[:, None])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["pick", "place", "stack", "sort", "push_to"]))
def test_the_words_built_in_week_1_are_the_librarys(seed, task):
    things = TASKS[task].scene(np.random.default_rng(seed)).objects
    for i in range(len(things)):
        assert definitions_of_week_1["by_color"](things, i) == describe(things, i, "color")
        assert definitions_of_week_1["left_of"](things, i, APART) == describe(things, i, "left")
