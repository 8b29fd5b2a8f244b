r"""Text that others wrote, made harmless before a person or a program reads it.

What is hidden or steers the reader (escape sequences of a terminal, marks that turn the direction of writing, halves
of a character) is written out, as in `\x1b`. What is left is allowed in XML 1.0 and can be encoded as UTF-8.
"""

import re

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
MOST_IN_CELL = 30_000  # characters; Excel takes 32,767
_FORMULA = tuple("=+-@\t\r＝＋－＠")


def _written_out(match: re.Match) -> str:
    return match[0].encode("unicode_escape").decode()


def shown(text: str) -> str:
    """The text with every hidden character written out; line ends and tabs stay."""
    return _HIDDEN.sub(_written_out, text.replace("\r\n", "\n"))


def one_line(text: str, most: int = 300) -> str:
    """The first `most` characters on one line: a name for a terminal, a table, a log."""
    return re.sub(r"[\n\t]", _written_out, shown(clip(text, most)))


def clip(text: str, most: int) -> str:
    """The first `most` characters, and how many there were beyond."""
    return text if len(text) <= most else f"{text[:most]} … ({len(text) - most:,} more characters)"


def cell(value: str | float) -> str | float:
    """A cell of a CSV file. A number stays one; a text that a spreadsheet would compute gets an apostrophe before it.

    See "CSV Injection" by OWASP.
    """
    if not isinstance(value, str):
        return number(value)
    plain = one_line(value, MOST_IN_CELL)
    return f"'{plain}" if value.startswith(_FORMULA) or plain.lstrip().startswith(_FORMULA) else plain


def number(value: float) -> float:
    """Points as a person writes them: 2 decimals, and none where they are 0."""
    rounded = round(value, 2)
    return int(rounded) if rounded == int(rounded) else rounded
