"""When two printed texts say the same: every word alike, every number within a tolerance.

Two machines round differently, so `0.41249` may come out as `0.4125`. `snap` writes the expected number in place of
one that is close enough; whether the texts are then the same is for nbval to say.
"""

import math
import re
from collections.abc import Iterable

from nbformat import NotebookNode
from nbformat.v4 import new_output

RELATIVE, ABSOLUTE = 1e-4, 1e-6  # the larger difference of the two is allowed; the first is a part of the number
LONGEST = 64  # characters; a longer run of digits is text
MORE = 2000  # characters beyond the expected ones; to explain how long texts differ takes pytest minutes

# Every quantifier is possessive and nothing follows that could fail: the work is linear in the text, whatever it is.
# A number starts behind a blank or a sign, not inside a word: "week08" holds none. One full stop may end it.
NUMBER = re.compile(
    r"([+-]?+(?<![\w.])(?:(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+j?+\.?+"
    r"|(?i:nan|inf(?:inity)?+)j?+(?!\w)))"
)
WHOLE = re.compile(r"[+-]?[0-9]+")


def printed(outputs: Iterable[dict] | None) -> str:
    """What a cell wrote to standard output. Warnings and pictures differ from machine to machine and do not count."""
    return "".join(output["text"] for output in outputs or () if output.get("name") == "stdout")


def prints_more(got: str, expected: str) -> bool:
    """Whether every expected line is there, in order, among others: the student's function prints something itself."""
    lines = iter(got.splitlines())
    return bool(expected.strip()) and all(line in lines for line in expected.splitlines())


def for_nbval(outputs: Iterable[dict], expected: str) -> list[NotebookNode]:
    """A cell's outputs as nbval compares them with the expected ones: standard output alone, numbers snapped."""
    text = snap(printed(outputs), expected)[: len(expected) + MORE]
    return [new_output("stream", name="stdout", text=text)] if text else []


def snap(got: str, expected: str) -> str:
    """`got` with each number that is close to the expected one replaced by it.

    Numbers are held against each other line by line, where the words between them are the same; blanks beside a number
    do not matter, since arrays are printed with padding. Whole numbers count things: they must be the same. NaN is the
    same as NaN, and as nothing else.

    Args:
        got, expected: printed texts; both may be hostile.

    Returns:
        The text to compare with `expected`: the same where, and only where, `got` says the same.
    """
    if got == expected:
        return got
    wanted, lines = expected.split("\n"), got.split("\n")
    for index, (line, other) in enumerate(zip(lines, wanted, strict=False)):
        if line != other:
            lines[index] = _snap_line(line, other)
    return "\n".join(lines)


def _snap_line(got: str, expected: str) -> str:
    """One line: words at the even places of `parts`, numbers at the odd ones."""
    parts, wanted = NUMBER.split(got), NUMBER.split(expected)
    if [word.strip(" ") for word in parts[::2]] != [word.strip(" ") for word in wanted[::2]]:
        return got
    for i in range(1, len(parts), 2):
        if _close(parts[i], wanted[i]):
            parts[i] = wanted[i]
    if parts[1::2] == wanted[1::2]:
        return expected if len(parts) > 1 else got
    return "".join(parts)


def _close(got: str, expected: str) -> bool:
    """Whether two numbers, as printed, count as the same."""
    got, expected = got.rstrip("."), expected.rstrip(".")
    if got == expected:
        return True
    if max(len(got), len(expected)) > LONGEST or got.endswith("j") != expected.endswith("j"):
        return False
    if WHOLE.fullmatch(got) and WHOLE.fullmatch(expected):
        return int(got) == int(expected)
    one, other = float(got.rstrip("j")), float(expected.rstrip("j"))
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    if math.isinf(one) or math.isinf(other):  # as the word; 1e999 is too large to be told from 1e998
        return one == other and not any(character.isdigit() for character in got + expected)
    return abs(one - other) <= max(ABSOLUTE, RELATIVE * abs(other))
