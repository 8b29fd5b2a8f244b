"""The keyboard of a terminal, and the cameras' pictures in it: works over SSH, needs no window.

    w s   away from you, toward you          1 2 3   small, middle, large steps
    a d   left, right                        space   open or close the gripper
    r f   up, down                           .       wait one period of 0.1 s
    q e   turn left, right                   Enter   end the episode and keep it
    i k   lean away from you, toward you     Backspace   throw it away, same scene again
    j l   lean left, right                   x       quit

The arrow keys are w, s, a, d too. Each key press is one step. Directions are those of the front camera's picture: it
looks at the robot from across the table.
"""

import os
import select
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image

from vla_course.collection.devices import Command, move
from vla_course.collection.session import Session
from vla_course.errors import CourseError

MOVES = {
    "w": "away", "s": "toward", "a": "left", "d": "right", "r": "up", "f": "down", "q": "turn left", "e": "turn right",
    "i": "lean away", "k": "lean toward", "j": "lean left", "l": "lean right",
}  # fmt: skip
SIZES = {"1": 0.1, "2": 0.4, "3": 1.0}  # of the largest step: 5 mm, 2 cm, 5 cm
ARROWS = {"A": "w", "B": "s", "C": "d", "D": "a"}  # the last byte that a terminal sends for them
EVENTS = {"\n": "finish", "\r": "finish", "\x7f": "discard", "\b": "discard", "x": "quit"}


class Keyboard:
    """Keys to commands.

    Args:
        key: waits up to so many seconds for a key and returns it, or "" where there was none; see `terminal_keys`.
    """

    name = "keyboard"
    keys = (
        "w/s a/d r/f move, q/e turn, i/k j/l lean, 1/2/3 step, space grip, . wait, Enter keep, Backspace redo, x quit"
    )

    def __init__(self, key: Callable[[float], str]):
        self._key, self._size = key, SIZES["2"]
        self.reset()

    def reset(self) -> None:
        """The gripper is open."""
        self._gripper = 1.0

    def read(self) -> Command | None:
        """What the next key means; None where it means nothing or there is none."""
        key = self._key(0.1).lower()
        if key in MOVES:
            return move(MOVES[key], self._size, self._gripper)
        if key in EVENTS:
            return Command(event=EVENTS[key])
        if key in SIZES:
            self._size = SIZES[key]
        elif key == " ":
            self._gripper = -self._gripper
        return move("up", 0.0, self._gripper) if key in (" ", ".") else None


@contextmanager
def terminal_keys() -> Iterator[Callable[[float], str]]:
    """The terminal gives each key at once, without Enter and without printing it. Ctrl-C still stops the program.

    Raises:
        CourseError: the standard input is no terminal.
    """
    if not sys.stdin.isatty():
        raise CourseError("the standard input is no terminal, so it has no keys; run this command in a terminal")
    if os.name == "nt":
        yield _windows_key
        return
    import termios
    import tty

    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)

    def key(seconds: float) -> str:
        ready, _, _ = select.select([number], [], [], seconds)
        if not ready:
            return ""
        pressed = os.read(number, 1)
        if not pressed:
            raise CourseError("the terminal was closed; what was recorded so far is kept")
        return pressed.decode("latin-1") if pressed != b"\x1b" else _arrow(number)

    tty.setcbreak(number)
    try:
        yield key
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def _arrow(number: int) -> str:
    """The letter for an arrow key. Special keys send several bytes, which would be taken for letters."""
    last = b""
    while select.select([number], [], [], 0)[0] and (last in (b"", b"[", b"O") or not last.isalpha() and last != b"~"):
        last = os.read(number, 1)
    return ARROWS.get(last.decode("latin-1"), "")


def _windows_key(seconds: float) -> str:
    import msvcrt
    import time

    end = time.monotonic() + seconds
    while not msvcrt.kbhit():
        if time.monotonic() > end:
            return ""
        time.sleep(0.01)
    pressed = msvcrt.getwch()
    return {"H": "w", "P": "s", "K": "a", "M": "d"}.get(msvcrt.getwch(), "") if pressed in "\0\xe0" else pressed


def show_in_terminal(session: Session, keys: str = "") -> None:
    """Draw what is going on in the terminal, over what was drawn before.

    Args:
        session: gives the pictures (what a person would see, then what each camera sees), the sentence, the goal.
        keys: what the device's buttons do.
    """
    recorder, env = session.recorder, session.env
    seen = [env.render(), *(recorder.observation[camera] for camera in env.cameras)]
    pictures = np.hstack([np.asarray(Image.fromarray(picture).resize((256, 256))) for picture in seen])
    conditions = "  ".join(
        f"{'[x]' if done else '[ ]'} {name}" for name, done in recorder.info["goal_conditions"].items()
    )
    lines = [
        half_blocks(pictures, *shutil.get_terminal_size()),
        f"“{recorder.scene.instruction()}”   {conditions}",
        f"{session.kept} episodes kept, step {session.steps} of {env.max_steps}; "
        f"gripper {'open' if env.commanded_gripper > 0 else 'closed'}",
        keys,
    ]
    clear_line = "\x1b[K\n"
    sys.stdout.write("\x1b[H" + clear_line.join("\n".join(lines).split("\n")) + "\x1b[J")
    sys.stdout.flush()


def half_blocks(picture: np.ndarray, columns: int = 80, rows: int = 24) -> str:
    """A picture as text: "▀" shows two pixels, one in the color of the letter, one in that of its background.

    Args:
        picture: (H, W, 3) uint8.
        columns, rows: of the terminal; five rows are left free.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, columns / width, 2 * (rows - 5) / height)
    size = max(1, int(width * scale)), max(2, int(height * scale) // 2 * 2)
    pixels = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
    lines = []
    for top, bottom in zip(pixels[::2], pixels[1::2], strict=True):
        cells = (
            f"\x1b[38;2;{a[0]};{a[1]};{a[2]}m\x1b[48;2;{b[0]};{b[1]};{b[2]}m▀" for a, b in zip(top, bottom, strict=True)
        )
        lines.append("".join(cells) + "\x1b[0m")
    return "\n".join(lines)
