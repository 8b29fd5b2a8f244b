"""The one exception that the library raises for something a person can mend."""

from collections.abc import Iterable


class CourseError(ValueError):
    """Bad input. The message is one line: the value, the place, and the remedy.

    The command line prints the message and exits with status 2, without a traceback.
    """


def one_of(kind: str, value: str, known: Iterable[str]) -> None:
    """Check that `value` is one of `known`.

    Raises:
        CourseError: it is not; the message lists what is known.
    """
    names = sorted(known)
    if value not in names:
        raise CourseError(f"unknown {kind} {value!r}; choose one of: {', '.join(names)}")


def at_once(option: str, count: int) -> None:
    """Check how many processes shall work at once.

    Raises:
        CourseError: none.
    """
    if count == 0:
        raise CourseError(f"{option} 0: give how many at once, such as 2; -1 takes all cores")
