"""The command line: `vla-course COMMAND --help` explains each command."""

import os
import sys

import tyro

from vla_course.commands import COMMANDS
from vla_course.errors import CourseError


def main() -> None:
    """Run one command. Bad input ends in one line and status 2, never in a traceback."""
    try:
        tyro.extras.subcommand_cli_from_dict(COMMANDS, prog="vla-course", description=__doc__)
    except CourseError as error:
        print(f"vla-course: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # the reader, such as "head", has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains once more at its end
        sys.exit(141)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""  # a full disk has no name
        print(f"vla-course: {where}{error.strerror or error}; check the path and the free space", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("vla-course: stopped; what was finished is kept", file=sys.stderr)
        sys.exit(130)
