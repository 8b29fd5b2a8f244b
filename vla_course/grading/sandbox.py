"""Where a student's kernel runs: a box with no network, no files of the host, and limits.

The grader itself runs outside. It talks to the kernel through five sockets that lie inside the box, and
reaches them, as it reaches what the kernel hands over, through /proc/PID/root: nothing that the kernel can
write to is a file of the host.

With bubblewrap (containers/bubblewrap) the box is built of kernel namespaces. Where the grader runs as root, the
box is built as root, then entered as a user id of its own, since limits on processes do not hold for root.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import psutil

from vla_course.errors import CourseError, one_of
from vla_course.grading import seccomp
from vla_course.grading.cells import Limits

SCRATCH, SOCKETS, LIBRARY = "/scratch", "/run/kernel", "/library"
KINDS = ("bubblewrap", "docker", "podman", "none")
IMAGE = "vla-course-grader"  # what docker and podman run; docs/grading.md tells how to build it
FILTER = 9  # the file descriptor on which bubblewrap reads the filter of system calls
FIRST_USER = 2_000_000_000  # above every range that distributions hand out


@dataclass(frozen=True)
class Box:
    """One kernel's box, not yet started.

    Attributes:
        kind: one of `KINDS`.
        folder: of the host, private to the grader: connection.json, and for kind "none" everything else.
        library: folder that holds the vla_course that the kernel imports.
        files: what the kernel finds in its working folder: name to path on the host.
        limits: what it may use.
        core: the only processor core it may use; None for any.
    """

    kind: str
    folder: Path
    library: Path
    files: dict[str, Path]
    limits: Limits
    core: int | None = None

    @property
    def scratch(self) -> str:
        """The kernel's working folder, as the kernel sees it."""
        return str(self.folder / "scratch") if self.kind == "none" else SCRATCH

    @property
    def sockets(self) -> str:
        """The folder of the sockets, as the kernel sees it."""
        return str(self.folder) if self.kind == "none" else SOCKETS

    def environment(self) -> dict[str, str]:
        """All that the kernel finds in its environment."""
        inside = {
            "HOME": self.scratch,
            "IPYTHONDIR": f"{self.scratch}/.ipython",
            "LANG": "C.UTF-8",
            "LOGNAME": "student",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "MPLCONFIGDIR": f"{self.scratch}/.matplotlib",
            "OMP_NUM_THREADS": "1",
            "PATH": "/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": str(self.library) if self.kind == "none" else LIBRARY,
            "TMPDIR": self.scratch,
            "VLA_COURSE_SCALE": "ci",
        }
        return inside | ({"JPY_PARENT_PID": str(os.getpid())} if self.kind == "none" else {})

    def command(self, program: list[str]) -> list[str]:
        """The command line that runs a Python program in the box.

        Args:
            program: arguments of Python.
        """
        if self.kind == "bubblewrap":
            (self.folder / "seccomp").write_bytes(seccomp.program())
            start = ["/usr/bin/env", "-i", "/bin/sh", "-c", f'exec "$@" {FILTER}<"$0"', str(self.folder / "seccomp")]
            return [*start, *self._bubblewrap(), sys.executable, *program]
        if self.kind == "none":
            (self.folder / "scratch").mkdir(exist_ok=True)
            for name, path in self.files.items():
                shutil.copy(path, self.folder / "scratch" / name)
            values = [f"{name}={value}" for name, value in self.environment().items()]
            return ["/usr/bin/env", "-i", "-C", self.scratch, *values, sys.executable, *program]
        return [*self._container(), "python3", *program]

    def _bubblewrap(self) -> list[str]:
        limits = self.limits
        mb = 2**20
        bwrap, prlimit = shutil.which("bwrap"), shutil.which("prlimit")
        pinned = [] if self.core is None else [shutil.which("taskset"), "--cpu-list", str(self.core)]
        command = [
            *pinned,
            *(prlimit, f"--data={limits.memory_mb * mb}", f"--fsize={limits.files_mb * mb}", "--core=0"),
            *(
                f"--cpu={int(limits.notebook_seconds)}",
                "--nofile=1024",
                f"--nproc={_processes(limits.processes)}",
                "--",
            ),
            *(bwrap, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
            *("--die-with-parent", "--new-session", "--hostname", "grading", "--clearenv"),
        ]
        for name, value in self.environment().items():
            command += ["--setenv", name, value]
        command += _room("/tmp", mb)  # first, since the packages may lie below it
        tools = [shutil.which("setpriv"), bwrap] if os.geteuid() == 0 else []
        system = ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache"]
        seen = [path for path in (*system, *_interpreter(), *tools) if os.path.exists(path)]
        for folder in sorted({str(parent) for path in (*seen, SOCKETS) for parent in Path(path).parents} - {"/"}):
            command += ["--perms", "0755", "--dir", folder]
        for path in seen:
            command += ["--ro-bind", path, path]
        below = [Path(path) for path in Path(sys.base_prefix, "lib").glob("python*/site-packages")]
        for packages in {*_packages(), *below}:
            if (packages / "vla_course").is_dir():  # an installed copy would show what the answers stand for
                command += ["--size", "4096", "--tmpfs", str(packages / "vla_course")]
        command += ["--ro-bind", str(self.library), LIBRARY, "--proc", "/proc", "--dev", "/dev"]
        command += [*_room(SCRATCH, limits.files_mb * mb), *_room(SOCKETS, mb), *_room("/dev/shm", 16 * mb)]
        command += ["--ro-bind", str(self.folder / "connection.json"), f"{SOCKETS}/connection.json"]
        for name, path in self.files.items():
            command += ["--ro-bind", str(path), f"{SCRATCH}/{name}"]
        command += ["--chdir", SCRATCH]
        command += ["--remount-ro", "/dev", "--remount-ro", "/"]
        own_user = ["--unshare-user", "--disable-userns"]
        if seccomp.program():
            own_user += ["--seccomp", str(FILTER)]
        if not tools:
            return [*command, *own_user, "--"]
        user = str(FIRST_USER + os.getpid())
        enter = [tools[0], "--reuid", user, "--regid", user, "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
        return [*command, "--", *enter, "--", bwrap, *own_user, "--dev-bind", "/", "/", "--"]

    def _container(self) -> list[str]:
        limits = self.limits
        command = [
            *(self.kind, "run", "--rm", "--init", "--network=none", "--read-only", "--cap-drop=ALL", "--ipc=private"),
            *("--security-opt=no-new-privileges", f"--user={os.getuid() or FIRST_USER + os.getpid()}"),
            *(f"--memory={limits.memory_mb * 3 // 2}m", f"--memory-swap={limits.memory_mb * 3 // 2}m", "--cpus=1"),
            *(f"--pids-limit={limits.processes}", f"--ulimit=data={limits.memory_mb * 2**20}", "--ulimit=core=0"),
            *(f"--ulimit=cpu={int(limits.notebook_seconds)}", f"--ulimit=fsize={limits.files_mb * 2**20}"),
            *(f"--tmpfs={SCRATCH}:size={limits.files_mb}m,mode=1777", f"--tmpfs={SOCKETS}:size=1m,mode=1777"),
            *("--shm-size=16m", f"--workdir={SCRATCH}", f"--name=grading-{os.getpid()}"),
            f"--volume={self.library}:{LIBRARY}:ro",
            f"--volume={self.folder / 'connection.json'}:{SOCKETS}/connection.json:ro",
        ]
        command += [f"--volume={path}:{SCRATCH}/{name}:ro" for name, path in self.files.items()]
        command += [f"--env={name}={value}" for name, value in self.environment().items() if name != "PATH"]
        return [*command, IMAGE]

    def root(self, process: subprocess.Popen) -> Path | None:
        """Where the grader sees the root of a started box, once its sockets are there."""
        if self.kind == "none":
            candidates = [Path("/")]
        elif self.kind == "bubblewrap":
            candidates = [Path(f"/proc/{p.pid}/root") for p in _family(process.pid)]
        else:
            asked = [self.kind, "inspect", "--format", "{{.State.Pid}}", f"grading-{os.getpid()}"]
            pid = subprocess.run(asked, capture_output=True, text=True).stdout.strip()
            candidates = [Path(f"/proc/{pid}/root")] if pid.isdigit() and pid != "0" else []
        for root in candidates:
            if all(os.path.exists(f"{root}{self.sockets}/k-{number}") for number in range(1, 6)):
                return root
        return None


def _room(path: str, size: int) -> list[str]:
    """A folder of the box in memory, at most `size` bytes, that everybody there may write to."""
    return ["--perms", "0777", "--size", str(size), "--tmpfs", path]


def _interpreter() -> list[str]:
    """Paths that Python needs: itself, its standard library, the installed packages."""
    inside, outside = Path(sys.prefix), Path(sys.base_prefix)
    paths = [Path(sys.executable), Path(sys.executable).resolve(), outside / "lib", inside / "lib"]
    paths += [inside / "pyvenv.cfg", Path(sysconfig.get_paths()["stdlib"]), *_packages()]
    return list(dict.fromkeys(str(path) for path in paths))


def _packages() -> list[Path]:
    """Folders of installed packages, those of the system and of the user too."""
    return [Path(path) for path in sys.path if path.endswith(("site-packages", "dist-packages"))]


def _processes(wanted: int) -> int:
    """The limit on processes: of a fresh user id as root; else the user's own programs count too."""
    if os.geteuid() == 0:
        return wanted
    mine = [p.info["num_threads"] or 0 for p in psutil.process_iter(["uids", "num_threads"])
            if p.info["uids"] and p.info["uids"].real == os.getuid()]  # fmt: skip
    return wanted + sum(mine)


def _family(pid: int) -> list[psutil.Process]:
    """A process and all its descendants that still live."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def memory_mb(process: subprocess.Popen) -> float:
    """What a started box holds in memory, all its processes together; a shared page counts once."""
    total = 0.0
    for member in _family(process.pid):
        try:
            rollup = Path(f"/proc/{member.pid}/smaps_rollup").read_text()
            total += int(rollup.partition("\nPss:")[2].split()[0]) / 2**10
        except (OSError, IndexError):  # it has ended, or this is no Linux
            total += _resident_mb(member)
    return total


def _resident_mb(member: psutil.Process) -> float:
    try:
        return member.memory_info().rss / 2**20
    except psutil.Error:
        return 0.0


def files(root: Path) -> int:
    """Files and folders in the rooms of a started box that it may write to."""
    rooms = [os.statvfs(f"{root}{room}") for room in (SCRATCH, SOCKETS, "/tmp", "/dev/shm")]
    return sum(room.f_files - room.f_ffree for room in rooms)


# Run in the box by `probe`: each line that it prints names something that a box must not allow.
ESCAPES = """
import ctypes, os, socket
try:
    socket.create_connection(("1.1.1.1", 53), 1)
    print("the network is reachable")
except OSError:
    pass
for path in {hidden!r}:
    if os.path.exists(path):
        print(path, "can be seen")
for path in ("/", "/dev", "/usr/lib", "/library"):
    try:
        open(path + "/written", "w")
        print(path, "can be written")
    except OSError:
        pass
if len([name for name in os.listdir("/proc") if name.isdigit()]) > 6:
    print("other processes can be seen")
if os.getuid() == 0:
    print("it runs as root")
if {filtered!r} and ctypes.CDLL(None).memfd_create(b"x", 0) >= 0:
    print("memory that no limit counts can be had")
print("probed")
"""

REMEDY = (
    'install bubblewrap ("apt install bubblewrap"; from Ubuntu 23.10 on its AppArmor profile too), choose '
    "--sandbox docker or podman, or give --no-sandbox to trust every submission with your account"
)


def probe(kind: str, folder: Path, library: Path, hidden: list[str]) -> None:
    """Start a box and try to get out of it.

    Args:
        kind: one of `KINDS`.
        folder, library: as for a `Box`.
        hidden: paths of the host that must not exist in the box.

    Raises:
        CourseError: it cannot run here, or it leaks.
    """
    one_of("sandbox", kind, KINDS)
    if kind == "none":
        return
    tools = [kind]
    if kind == "bubblewrap":
        tools = ["bwrap", "prlimit", "taskset", *(["setpriv"] if os.geteuid() == 0 else [])]
    for tool in tools:
        if shutil.which(tool) is None:
            raise CourseError(f"the sandbox cannot run: there is no program {tool!r}; {REMEDY}")
    (folder / "connection.json").write_text("{}")
    command = Box(kind, folder, library, {}, Limits()).command(
        ["-c", ESCAPES.format(hidden=hidden, filtered=bool(seccomp.program()))]
    )
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    said = done.stdout.split("\n")[:-1]
    if said[-1:] != ["probed"]:
        why = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        raise CourseError(f"the sandbox cannot run ({why}); {REMEDY}")
    if len(said) > 1:
        raise CourseError(f"the sandbox leaks ({said[0]}); {REMEDY}")
