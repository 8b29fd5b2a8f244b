"""What a check cell prints: the value that came out, the expected one, and the name of a known mistake.

`compare` judges nothing that counts. It helps the student; points come from what the grader sees elsewhere.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

KINDS = {"b": "True or False", "i": "a number", "u": "a number", "f": "a number", "U": "text"}


def compare(
    name: str,
    value: Any,
    expected: Any,
    mistakes: Mapping[Any, str] | Iterable[tuple[Any, str]] | None = None,
    digits: int = 4,
) -> None:
    """Print one line: what came out beside what was expected.

    Args:
        name: what the value is, such as "the loss".
        value: what the student's code returned: numbers, bools or strings, alone, nested in lists, or as an array or
            a tensor. Anything else gives a line that says so.
        expected: what it should be. Numbers count as equal when they differ by less than 1e-6 plus 1e-4 of their size.
        mistakes: wrong value to what causes it; pairs where the wrong values are arrays.
        digits: decimals that are shown.
    """
    got, wanted = _array(value), _array(expected)
    if _same(got, wanted):
        print(f"{name}: {_text(wanted, digits)}, as expected")
        return
    pairs = mistakes.items() if isinstance(mistakes, Mapping) else mistakes or ()
    cause = "".join([f": {message}" for wrong, message in pairs if _same(got, _array(wrong))][:1])
    if got is None or _kind(got) != _kind(wanted):
        remedy = cause or (": does your function return its result?" if value is None else "")
        print(f"{name}: expected {_kind(wanted)}, got {_kind(got) or type(value).__name__}{remedy}")
    elif got.shape != wanted.shape:
        print(f"{name}: expected shape {wanted.shape}, got {got.shape}{cause}")
    else:
        while _text(got, digits) == _text(wanted, digits) and digits < 12:  # show enough to see the difference
            digits += 2
        print(f"{name}: {_text(got, digits)}, expected {_text(wanted, digits)}{cause}")


def _array(value: Any) -> np.ndarray | None:
    """As a numpy array; None where it is nothing that can be compared."""
    try:
        array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
        if array.dtype == object and isinstance(value, list | tuple):  # such as a list of tensors
            array = np.array([np.asarray(_array(part)) for part in value])
    except Exception:  # whatever a foreign object raises when it is read
        return None
    return array if array.dtype.kind in KINDS else None


def _kind(array: np.ndarray | None) -> str:
    return "" if array is None else KINDS[array.dtype.kind]


def _same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    if one is None or other is None or one.shape != other.shape or _kind(one) != _kind(other):
        return False
    if one.dtype.kind == "f" or other.dtype.kind == "f":
        return bool(np.allclose(one, other, rtol=1e-4, atol=1e-6, equal_nan=True))
    return bool((one == other).all())


def _text(array: np.ndarray, digits: int) -> str:
    if array.ndim:
        return "[" + ", ".join(_text(part, digits) for part in array) + "]"
    if array.dtype.kind != "f":
        return repr(str(array))[1:-1]  # without characters that break the line
    text = f"{array:.{digits}f}" if abs(array) < 1e9 else f"{array:.{digits}e}"
    return text.removeprefix("-") if float(text) == 0 else text
