"""Where in an answer an error arose."""

import re
from collections.abc import Sequence
from itertools import zip_longest

FRAME = re.compile(r"Cell In\[[0-9]*\], line ([0-9]{1,6})")
COLORS = re.compile(r"\x1b\[[0-9;]*m")
LONGEST = 100_000


def plain_traceback(lines: Sequence[object]) -> str:
    """An error message's traceback as one text without colors; the end of it, if it is very long."""
    return COLORS.sub("", "\n".join(map(str, lines)))[-LONGEST:]


def line_in(answer: str, traceback: str) -> int | None:
    """The line of the answer that a traceback passed last.

    All cells have the same number in it, so a frame is the answer's if it shows that line of the answer.
    """
    frames, lines, found = list(FRAME.finditer(traceback)), answer.split("\n"), None
    for frame, following in zip_longest(frames, frames[1:]):
        number = int(frame[1])
        shown = traceback[frame.end() : following.start() if following else None]
        if number <= len(lines) and lines[number - 1].strip() and lines[number - 1].strip() in shown:
            found = number
    return found
