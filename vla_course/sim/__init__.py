"""The tabletop world: robots, objects, cameras, tasks with their experts, and the Gymnasium environment.

Importing this package registers `vla_course/Tabletop-v0`.
"""

import contextlib
import os
from collections.abc import Iterator

import gymnasium


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    """PyBullet greets every process on stderr, from C: turn that stream away while it is imported."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


with _silent_stderr():
    import pybullet  # noqa: F401

gymnasium.register("vla_course/Tabletop-v0", entry_point="vla_course.sim.env:TabletopEnv")
