"""What a lesson shows in JupyterLab and can be clicked."""

import atexit
import html
import io
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import ipywidgets
import numpy as np
from PIL import Image

from vla_course.collection.devices import Command, move
from vla_course.collection.session import Session
from vla_course.errors import CourseError
from vla_course.sim.env import TabletopEnv

SIZES = {"5 mm": 0.1, "2 cm": 0.4, "5 cm": 1.0}  # of the largest step
PAD = (
    ("turn left", "away", "turn right", "up"),
    ("left", "toward", "right", "down"),
    ("lean left", "lean away", "lean toward", "lean right"),
)
SHOWN = 240  # pixels on the screen for each camera


class TeleopPad(ipywidgets.VBox):
    """Moves the robot with buttons, shows what you would see and what its cameras see, and records.

    Each click is one step of the size that is chosen above the buttons; the world stands still in between. Wait for the
    picture before the next click: Jupyter handles clicks in two threads, so quick clicks on several buttons may change
    places. Directions are those of the front camera's picture.

    When the task is done, or whenever you think that it will not be, save the episode or discard it; then start a new
    one. What is neither saved nor discarded when the kernel is shut down is kept as "interrupted".

    Args:
        root: folder of the data set; a data set of the same settings is continued.
        task: a key of `vla_course.sim.tasks.TASKS`.
        seed: names the scenes.
        robot: a key of `vla_course.sim.robots.ROBOTS`.
        cameras: which are shown, right of your own view, and recorded.
        operator: your name, for the episodes' metadata.

    Attributes:
        session: the recording.
        buttons: by the words on them.

    Raises:
        CourseError: an unknown name, or a folder that cannot be written or was recorded with other settings.
    """

    def __init__(
        self,
        root: Path | str,
        task: str = "pick",
        seed: int = 0,
        robot: str = "panda",
        cameras: Sequence[str] = ("front", "wrist"),
        operator: str = "",
    ):
        env = TabletopEnv(task, robot, cameras=cameras)
        self.session = Session(env, Path(root), seed, "pad", operator)
        atexit.register(self._keep_unfinished)
        self._pictures = [ipywidgets.Image(format="png", width=SHOWN, height=SHOWN) for _ in ("you", *cameras)]
        self._words, self._message = ipywidgets.HTML(), ipywidgets.HTML()
        self.buttons: dict[str, ipywidgets.Button] = {}
        self._one_at_a_time = threading.Lock()  # the kernel handles clicks in two threads
        sizes = [self._button(size, lambda size=size: self._resize(size)) for size in SIZES]
        rows = [ipywidgets.HBox([self._button(way, lambda way=way: self._move(way)) for way in row]) for row in PAD]
        hand = [
            self._button("gripper", self._grip, "info"),
            self._button("wait", lambda: self._act(move("up", 0.0, self._gripper))),
        ]
        ends = [
            self._button("save", self._save, "success"),
            self._button("discard", self._discard, "warning"),
            self._button("new episode", self._begin, "primary"),
        ]
        super().__init__(
            [
                ipywidgets.HBox(self._pictures),
                self._words,
                ipywidgets.HBox(sizes),
                *rows,
                ipywidgets.HBox(hand),
                ipywidgets.HBox(ends),
                self._message,
            ]
        )
        self.add_class("teleop-pad")
        self._resize("2 cm")
        self._begin()

    @property
    def _gripper(self) -> float:
        return self.session.env.commanded_gripper

    def _button(self, words: str, do: Callable[[], None], style: str = "") -> ipywidgets.Button:
        def clicked(_: ipywidgets.Button) -> None:
            try:
                with self._one_at_a_time:
                    do()
            except CourseError as error:
                self._message.value = f"<b>{html.escape(str(error))}</b>"

        button = ipywidgets.Button(description=words, button_style=style, layout={"width": "110px"})
        button.on_click(clicked)
        self.buttons[words] = button
        return button

    def _move(self, way: str) -> None:
        self._act(move(way, SIZES[self._size], self._gripper))

    def _resize(self, size: str) -> None:
        self._size = size
        for words in SIZES:
            self.buttons[words].icon = "check" if words == size else ""

    def _grip(self) -> None:
        self._act(move("up", 0.0, -self._gripper))

    def _act(self, command: Command) -> None:
        over = self.session.step(command.action)
        done = self.session.recorder.info["success"]
        self._show(
            ("Done: save it, or discard it." if done else "No time is left: save it, or discard it.") if over else ""
        )
        self._allow(moving=not over, ending=True)

    def _begin(self) -> None:
        self.session.begin()
        self._show("A new scene.")
        self._allow(moving=True, ending=False)

    def _save(self) -> None:
        steps = self.session.steps
        folder = self.session.keep()
        self.session.close()  # the statistics of the data set: it can be used from now on
        self._show(f"Saved: {folder.name}, {steps} steps.")
        self._allow(moving=False, ending=False)

    def _discard(self) -> None:
        self._begin()
        self._message.value = "Discarded: the same scene again."

    def _keep_unfinished(self) -> None:
        if self.session.steps:
            self.session.close()

    def _allow(self, moving: bool, ending: bool) -> None:
        """Which buttons can be clicked."""
        for words, button in self.buttons.items():
            if words in ("save", "discard"):
                button.disabled = not ending
            elif words in SIZES:
                button.disabled = False
            elif words == "new episode":
                button.disabled = moving or ending  # what was recorded is saved or discarded first
            else:
                button.disabled = not moving

    def _show(self, message: str) -> None:
        recorder = self.session.recorder
        seen = [self.session.env.render(), *(recorder.observation[camera] for camera in self.session.env.cameras)]
        for picture, pixels in zip(self._pictures, seen, strict=True):
            picture.value = _png(pixels)
        conditions = ", ".join(
            f"{name} {'✓' if done else '✗'}" for name, done in recorder.info["goal_conditions"].items()
        )
        sentence = html.escape(recorder.scene.instruction())
        state = f"step {self.session.steps} of {self.session.env.max_steps}, {self.session.kept} episodes saved"
        gripper = "open" if self._gripper > 0 else "closed"
        self._words.value = f"<b>“{sentence}”</b><br>{conditions} · gripper {gripper} · {state}"
        self._message.value = html.escape(message)


def _png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).resize((SHOWN, SHOWN), Image.Resampling.NEAREST).save(file, "png", compress_level=1)
    return file.getvalue()
