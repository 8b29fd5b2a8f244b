"""A kernel in a box, as nbval talks to one.

nbval waits for a kernel in a single place. Here every such wait also watches: whether the kernel lives, how long it
has run, how much memory it holds, how much it has printed.
"""

import contextlib
import json
import os
import signal
import stat
import subprocess
import time
from collections import deque
from pathlib import Path
from queue import Empty

import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file
from nbval.kernel import RunningKernel

from vla_course.grading.sandbox import Box, files, memory_mb

LARGEST_MESSAGE = 4 * 2**20
USUAL_SIZE = 1000  # bytes of a message that says next to nothing
START_SECONDS = 120
MOST_FILES = 20_000
# ipykernel without its debugger, whose import takes a third of the start.
PROGRAM = "import sys; sys.modules['debugpy'] = None; from ipykernel.kernelapp import launch_new_instance as f; f()"
DIED = "the kernel died: something in the notebook ended it, or it used more memory than it may"
NO_MESSAGE = "it sent a message that no kernel sends"


class Ended(Exception):
    """The kernel is gone, or had to be ended; the message tells the student why."""


class BoxedKernel(RunningKernel):
    """The kernel that nbval talks to. It starts at once; `connect` waits until it answers.

    Args:
        box: where it runs.
    """

    def __init__(self, box: Box):
        self.box, self.limits = box, box.limits
        self.started = self.watched = time.monotonic()
        self.printed, self.ending = 0, ""
        self.pending: deque[dict] = deque()
        self.connection = box.folder / "connection.json"
        write_connection_file(str(self.connection), transport="ipc", ip=f"{box.sockets}/k", **_ports())
        self.connection.chmod(0o644)
        program = ["-c", PROGRAM, "-f", f"{box.sockets}/connection.json", "--HistoryManager.enabled=False"]
        silent = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(box.command(program), start_new_session=True, **silent)

    def connect(self) -> None:
        """Wait for the kernel.

        Raises:
            Ended: it did not start.
        """
        try:
            self.root = self._wait_for_sockets()
            self.kc = self._client(json.loads(self.connection.read_text()))
            self._ensure_iopub_up()
        except (Ended, RuntimeError, Empty) as error:
            self.end(f"the kernel did not start ({error})")

    def _wait_for_sockets(self) -> Path:
        while (root := self.box.root(self.process)) is None:
            if self.process.poll() is not None:
                raise Ended(f"the sandbox ended with status {self.process.returncode}")
            if time.monotonic() > self.started + START_SECONDS:
                raise Ended(f"no answer in {START_SECONDS} s")
            time.sleep(0.01)
        return root

    def _client(self, connection: dict) -> BlockingKernelClient:
        context = zmq.Context()
        context.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE)
        context.setsockopt(zmq.RCVHWM, 20)
        context.setsockopt(zmq.SNDTIMEO, 5000)  # a kernel that cuts its sockets does not keep the grader waiting
        context.setsockopt(zmq.RECONNECT_IVL, -1)  # what takes a socket's place later is not talked to
        context.setsockopt(zmq.LINGER, 0)
        client = BlockingKernelClient(context=context)
        client.load_connection_info(connection | {"ip": f"{self.root}{self.box.sockets}/k".replace("//", "/")})
        client.start_channels(hb=False)
        talking = [client.iopub_channel.socket, client.shell_channel.socket]
        self.cut = [socket.get_monitor_socket(zmq.EVENT_DISCONNECTED) for socket in talking]
        self.poller = zmq.Poller()
        for socket in (*talking, *self.cut):
            self.poller.register(socket, zmq.POLLIN)
        return client

    def get_message(self, stream: str, timeout: float | None = None) -> dict:
        """The next message of "shell" or "iopub".

        Raises:
            queue.Empty: none came in `timeout` seconds.
            Ended: the kernel has ended or was ended.
        """
        until = time.monotonic() + (timeout or 0)
        while True:
            if stream == "iopub" and self.pending:
                return self.pending.popleft()
            ready = dict(self.poller.poll(1000 * max(0, min(1, until - time.monotonic()))))
            if self.kc.iopub_channel.socket in ready:
                self._read_output()
            elif stream == "shell" and self.kc.shell_channel.socket in ready:
                return self._read(self.kc.shell_channel.socket)[0]
            elif any(cut in ready for cut in self.cut):
                self._was_cut()
            elif time.monotonic() > until:
                raise Empty
            self._watch()

    def _ensure_iopub_up(self) -> None:
        """Ask until both channels answer; a kernel on a busy machine may take its time."""
        while True:
            asked = self.kc.kernel_info()
            with contextlib.suppress(Empty):
                self.await_reply(asked, timeout=START_SECONDS)
                self.await_idle(asked, timeout=2)
                return
            if time.monotonic() > self.started + START_SECONDS:
                raise Ended(f"no answer in {START_SECONDS} s")

    def _read(self, socket: zmq.Socket) -> tuple[dict, int]:
        """A message and its size. Whatever the kernel sends, the grader goes on or ends it."""
        try:
            frames = socket.recv_multipart()
            _, parts = self.kc.session.feed_identities(frames)
            message = self.kc.session.deserialize(parts)
            if {"msg_type", "parent_header", "content"} <= set(message) and _sound(message):
                return message, sum(map(len, frames))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, zmq.ZMQError):
            pass  # it was no message; the kernel is ended below
        self.end(NO_MESSAGE)

    def _read_output(self) -> None:
        message, size = self._read(self.kc.iopub_channel.socket)
        self.pending.append(message)
        self.printed += max(0, size - USUAL_SIZE)
        if self.printed > 1000 * self.limits.output_kb:
            self.end(self._too_much())

    def _was_cut(self) -> None:
        """The kernel has died, or has sent a message that is too large."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.end(DIED if not self.is_alive() else self._too_much())

    def _too_much(self) -> str:
        return f"it printed more than {self.limits.output_kb} kB"

    def _watch(self) -> None:
        """Once a second: does it live, is it in time, does it hold too much?"""
        now = time.monotonic()
        if now < self.watched + 1:
            return
        self.watched = now
        if not self.is_alive():
            self.end(DIED)
        if now > self.started + self.limits.notebook_seconds:
            self.end(f"the notebook ran longer than {self.limits.notebook_seconds:g} s")
        if self.box.kind != "none" and files(self.root) > MOST_FILES:
            self.end(f"it wrote more than {MOST_FILES} files")
        if memory_mb(self.process) > 1.5 * self.limits.memory_mb:
            self.end(f"its processes held more than {1.5 * self.limits.memory_mb:g} MB of memory")

    def is_alive(self) -> bool:
        """Whether the box runs."""
        return self.process.poll() is None

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """Send a cell.

        Raises:
            Ended: the kernel takes no more messages.
        """
        try:
            return super().execute_cell_input(cell_input, allow_stdin)
        except zmq.ZMQError:
            self.end(DIED)

    def interrupt(self) -> None:
        """Ask the kernel to stop the cell; by message, since signals do not pass into the box."""
        with contextlib.suppress(zmq.ZMQError):
            self.kc.control_channel.send(self.kc.session.msg("interrupt_request", {}))

    def end(self, why: str) -> None:
        """End the box.

        Raises:
            Ended: always, saying why.
        """
        self.ending = why
        self.stop()
        raise Ended(why)

    def stop(self) -> None:
        """End the box, whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.box.kind in ("docker", "podman"):
            subprocess.run([self.box.kind, "kill", f"grading-{os.getpid()}"], capture_output=True)
        if hasattr(self, "kc"):
            self.kc.stop_channels()


def _sound(message: dict) -> bool:
    """Whether what nbval reads of a message has the type that it relies on."""
    content, parent = message["content"], message["parent_header"]
    if not isinstance(content, dict) or not isinstance(parent, dict):
        return False
    texts = {"stream": ("name", "text"), "error": ("ename", "evalue"), "status": ("execution_state",)}
    wanted = [content.get(name) for name in texts.get(message["msg_type"], ())]
    if message["msg_type"] == "error" and not isinstance(content.get("traceback"), list):
        return False
    if message["msg_type"] in ("display_data", "execute_result"):
        return isinstance(content.get("data"), dict) and "metadata" in content
    return all(isinstance(text, str) for text in wanted)


def _ports() -> dict[str, int]:
    return {f"{name}_port": number for number, name in enumerate(("shell", "iopub", "stdin", "control", "hb"), 1)}


def read_inside(kernel: BoxedKernel, name: str) -> bytes | None:
    """A file of the kernel's working folder; None unless it is a plain file, reached through no link.

    Args:
        kernel: of the box.
        name: relative path.
    """
    *folders, file = name.split("/")
    handles: list[int] = []
    try:
        handles.append(os.open(f"{kernel.root}{kernel.box.scratch}", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW))
        for folder in folders:
            handles.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handles[-1]))
        handles.append(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=handles[-1]))
        status = os.fstat(handles[-1])
        if not stat.S_ISREG(status.st_mode) or status.st_size > kernel.limits.files_mb * 2**20:
            return None
        with os.fdopen(handles.pop(), "rb") as opened:
            return opened.read(kernel.limits.files_mb * 2**20)
    except OSError:
        return None
    finally:
        for handle in handles:
            os.close(handle)
