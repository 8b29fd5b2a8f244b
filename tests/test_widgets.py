"""The pad works in a real JupyterLab, driven by a real browser."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import numpy as np
import pytest

from vla_course.collection.devices import DIRECTIONS
from vla_course.data.episodes import read_episode
from vla_course.data.store import episode_folders, verify
from vla_course.sim.env import POSITION_STEP, ROTATION_STEP
from vla_course.widgets import SIZES, TeleopPad

SEED = 5
TOKEN = "a-token-for-this-test"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def click(pad: TeleopPad, words: str) -> None:
    """What a click in the browser does: a button that is disabled takes none."""
    assert not pad.buttons[words].disabled, words
    pad.buttons[words].click()


def clicks_of_the_expert(pad: TeleopPad) -> list[str]:
    """Click through the expert's plan, in whole steps along one direction at a time, and note each click."""
    clicked, env = [], pad.session.env

    def press(words: str) -> None:
        if words in SIZES and pad._size == words:
            return
        click(pad, words)
        clicked.append(words)

    for goal in env.task.expert(env.world):
        for size, share in sorted(SIZES.items(), key=lambda item: -item[1]):
            for way in ("turn left", "turn right", "left", "right", "away", "toward", "up", "down"):
                axis, sign = DIRECTIONS[way]
                step = share * (POSITION_STEP if axis < 3 else ROTATION_STEP)
                # Half of the smallest step is the nearest that clicks can come.
                while sign * (goal[axis] - env.commanded_pose[axis]) > step * (0.5 if size == "5 mm" else 1):
                    press(size)
                    press(way)
                    if pad.session.recorder.info["success"]:
                        return clicked
        if goal[6] != env.commanded_gripper:
            press("gripper")
    raise AssertionError("the clicks did not do the task")


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """The clicks that pick the object up, and the episode that they record without a browser."""
    root = tmp_path_factory.mktemp("pad")
    pad = TeleopPad(root, seed=SEED)
    clicks = clicks_of_the_expert(pad)
    click(pad, "save")
    pad.session.env.close()
    return clicks, episode_folders(root)[0]


def test_pad_records_what_is_clicked(script):
    clicks, folder = script
    episode = read_episode(folder)
    assert episode.metadata["success"] and episode.metadata["outcome"] == "success"
    assert episode.metadata["device"] == "pad"
    # Each click on a direction is one step, one on the gripper three.
    moves = sum(words in DIRECTIONS for words in clicks)
    assert len(episode) == moves + 3 * clicks.count("gripper")
    assert (np.count_nonzero(episode.steps["action"][:, :6], axis=1) <= 1).all()


def test_pad_discards_saves_and_goes_on(tmp_path: Path):
    pad = TeleopPad(tmp_path, seed=SEED)
    first, picture = pad._words.value, pad._pictures[0].value
    assert pad.buttons["save"].disabled and pad.buttons["new episode"].disabled  # nothing to save yet
    for words in ("left", "gripper", "discard"):
        click(pad, words)
    assert pad._words.value == first and pad._pictures[0].value == picture  # the same scene again
    assert not episode_folders(tmp_path)
    for words in ("left", "gripper", "save"):
        click(pad, words)
    assert pad.buttons["left"].disabled and not pad.buttons["new episode"].disabled
    click(pad, "new episode")
    assert pad._pictures[0].value != picture
    click(pad, "up")
    pad.session.close()
    outcomes = [read_episode(folder).metadata["outcome"] for folder in episode_folders(tmp_path)]
    assert outcomes == ["failure", "interrupted"]
    assert verify(tmp_path) == (2, [])
    pad.session.env.close()


def test_a_kernel_that_ends_keeps_the_unfinished_episode(tmp_path: Path):
    program = f"from vla_course.widgets import TeleopPad; TeleopPad({str(tmp_path)!r}).buttons['up'].click()"
    subprocess.run([sys.executable, "-c", program], check=True)
    (folder,) = episode_folders(tmp_path)
    assert read_episode(folder).metadata["outcome"] == "interrupted"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """JupyterLab with a notebook that shows the pad; gives the notebook's address."""
    cell = f"from vla_course.widgets import TeleopPad\nTeleopPad('recorded', seed={SEED})"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "pad.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path / "home"
    # A home of its own: neither the settings of whoever runs the tests, nor anything left in them.
    environment = {**os.environ, "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home), "JUPYTER_DATA_DIR": str(home),
                   "JUPYTER_RUNTIME_DIR": str(home), "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
                   "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces")}  # fmt: skip
    options = [f"--port={port}", f"--IdentityProvider.token={TOKEN}", "--no-browser", "--ip=127.0.0.1",
               f"--ServerApp.root_dir={tmp_path}", "--ServerApp.port_retries=0", "--allow-root"]  # fmt: skip
    with open(tmp_path / "lab.log", "w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], env=environment, stdout=log, stderr=log, cwd=tmp_path
        )
        try:
            address = f"http://127.0.0.1:{port}/"
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"{address}api/status?token={TOKEN}", timeout=5)
                    break
                except OSError:
                    assert server.poll() is None, (tmp_path / "lab.log").read_text()
                    time.sleep(0.2)
            yield f"{address}lab/tree/pad.ipynb?token={TOKEN}"
        finally:
            server.terminate()
            server.wait(60)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_pad_in_jupyterlab(script, lab: str, tmp_path: Path):
    """A browser opens the notebook, runs it, clicks, and saves the same episode as the same clicks without it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    clicks, folder = script
    expected = read_episode(folder)
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 1300})
        page.set_default_timeout(60_000)
        page.goto(lab, wait_until="domcontentloaded")
        cell = page.locator(".jp-Notebook .jp-CodeCell").first
        prompt = cell.locator(".jp-InputArea-prompt")
        for _ in range(60):  # JupyterLab ignores a cell that is run before its kernel is connected
            cell.locator(".cm-content").click()
            page.keyboard.press("Control+Enter")
            page.wait_for_timeout(500)
            if "[ ]" not in prompt.inner_text():
                break
        pad = page.locator(".teleop-pad")
        pad.get_by_text("A new scene.").wait_for()
        before = pad.locator("img").first.get_attribute("src")
        steps = 0
        for words in clicks:
            button = pad.locator(f"button[title='{words}']")
            button.click()
            # As a person does, look before the next click: the kernel handles the first click on a button in
            # another thread than those that follow, so quick clicks on several buttons may change places.
            if words in SIZES:
                button.locator(".fa-check").wait_for()
            else:
                steps += 3 if words == "gripper" else 1
                pad.get_by_text(f"step {steps} of 400").wait_for()
        pad.get_by_text("Done: save it, or discard it.").wait_for()
        assert pad.locator("img").first.get_attribute("src") != before
        assert pad.get_by_text(expected.instruction).is_visible()
        assert pad.get_by_text(re.compile("grasped ✓, lifted ✓")).is_visible()
        pad.locator("button[title='save']").click()
        pad.get_by_text(f"Saved: episode_0000, {len(expected)} steps.").wait_for()
        browser.close()
    recorded = read_episode(episode_folders(tmp_path / "recorded")[0])
    assert recorded.metadata["success"]
    np.testing.assert_array_equal(recorded.steps["action"], expected.steps["action"])
    np.testing.assert_array_equal(recorded.steps["state"], expected.steps["state"])
    assert verify(tmp_path / "recorded") == (1, [])
