"""What the work cost: seconds and memory, and on which machine."""

import os
import platform
import threading
from typing import Self

import psutil


class PeakMemory:
    """Watches the memory of this process and its children while a `with` block runs.

    Pages that several processes share are counted once where the system tells (PSS on Linux), else only
    the unshared ones are (USS).

    Attributes:
        megabytes: the most that was in use at once.
    """

    def __init__(self):
        self.megabytes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while True:
            total = sum(_memory(process) for process in [me, *me.children(recursive=True)])
            self.megabytes = max(self.megabytes, round(total / 2**20))
            if self._stop.wait(0.5):
                return


def _memory(process: psutil.Process) -> int:
    try:
        usage = process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
        return 0  # it ended meanwhile
    return getattr(usage, "pss", usage.uss)


def describe_machine() -> str:
    """One line for results files: system, processor family, cores, Python."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
