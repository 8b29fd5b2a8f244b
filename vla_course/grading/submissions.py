"""Find what was handed in, and read it as data. Nothing here runs, imports or unpickles any of it."""

import json
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from vla_course.errors import CourseError

LARGEST_FILE = 20 * 2**20  # bytes of one notebook, pictures included
LARGEST_ANSWER = 16 * 2**10  # bytes of one answer cell, and of all: enough for code, too little for weights
LARGEST_ANSWERS = 24 * 2**10
MOST_WARNINGS = 20
LATEST = 253_402_000_000  # seconds; the year 9999
DEEPEST = 4  # folders between the given one and a notebook

# Canvas names files so when it packs a class into one archive; "LATE" stands where it was late.
CANVAS = re.compile(r"(?P<student>.+?)(?:_LATE)?_\d+_\d+_(?P<file>.+)")
MOODLE = re.compile(r"(?P<student>.+_\d+)_assignsubmission_file_?")


@dataclass
class Submission:
    """What one student handed in.

    Attributes:
        student: as the folder or the archive says; hostile text.
        answers: task to the source of its answer cell.
        submitted_at: ISO 8601, or "".
        problem: why nothing could be read, or "".
        warnings: what was ignored, and why.
    """

    student: str
    answers: dict[str, str] = field(default_factory=dict)
    submitted_at: str = ""
    problem: str = ""
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Entry:
    """A file, in a folder or an archive: where it lies, when it was written, what is wrong with it, its bytes."""

    parts: tuple[str, ...]
    modified: datetime | None
    problem: str
    read: Callable[[], bytes]


def find_submissions(where: Path, notebook: str, tasks: list[str], known: set[str]) -> list[Submission]:
    """Everything that was handed in for one notebook, a student each, in the order of their names.

    Understood are `<student>/<notebook>.ipynb`, nbgrader's `<student>/<assignment>/<notebook>.ipynb` with its
    timestamp.txt, Canvas' and Moodle's archives, and a folder with an archive's contents.

    Args:
        where: folder or zip file.
        notebook: such as "week08_behavior_cloning".
        tasks: their names.
        known: ids of all cells of the exercise.

    Raises:
        CourseError: there is nothing.
    """
    if where.is_dir():
        entries = list(_folder(where))
    elif zipfile.is_zipfile(where):
        try:
            entries = list(_archive(where))
        except (zipfile.BadZipFile, IndexError):  # of a name without any part
            raise CourseError(f"{where}: a damaged zip file; download it again") from None
    else:
        raise CourseError(f"{where}: neither a folder nor a zip file; give the submissions of a class")
    students: dict[str, list[Entry]] = {}
    for entry in entries:
        hidden = entry.parts[0].startswith((".", "__MACOSX"))
        beside = len(entry.parts) == 1 and ".ipynb" not in entry.parts[0]
        if (hidden or beside) and not entry.problem:
            continue  # a file manager's, or a list that lies beside the submissions
        student, entry = _whose(entry, notebook)
        students.setdefault(student, []).append(entry)
    if not students:
        raise CourseError(f"{where}: holds no submission; expected <student>/{notebook}.ipynb")
    found = []
    for student in sorted(students):
        try:
            found.append(_submission(student, students[student], notebook, tasks, known))
        except Exception as error:  # one student's file, whatever is in it, does not stop the class
            found.append(Submission(student, problem=f"it cannot be read ({type(error).__name__}); hand it in again"))
    return found


def _folder(where: Path) -> Iterator[Entry]:
    """Files, and links as entries with a problem. An empty folder of a student is an entry too."""
    stack = [(where, ())]
    while stack:
        folder, parts = stack.pop()
        try:
            inside = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except PermissionError:
            yield Entry((*parts, ""), None, "the folder cannot be opened; change its permissions", bytes)
            continue
        if not inside and len(parts) == 1:
            yield Entry((*parts, ""), None, "the folder is empty", bytes)
        for entry in inside:
            here = (*parts, entry.name)
            status = entry.stat(follow_symlinks=False)
            modified = datetime.fromtimestamp(min(status.st_mtime, LATEST), UTC)
            if stat.S_ISDIR(status.st_mode):
                if len(here) < DEEPEST:
                    stack.append((Path(entry.path), here))
            elif stat.S_ISREG(status.st_mode):
                yield Entry(here, modified, "", lambda path=entry.path: _read_file(path))
            else:
                yield Entry(here, modified, f"{entry.name} is a link, not a file; hand in the notebook itself", bytes)


def _read_file(path: str) -> bytes:
    """Bytes of a regular file; never of what a link points to."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        return file.read(LARGEST_FILE + 1)


def _archive(where: Path) -> Iterator[Entry]:
    """Entries of a zip file. Nothing is unpacked to disk, so a name cannot climb out; it is named all the same."""
    archive = zipfile.ZipFile(where)
    infos = [info for info in archive.infolist() if not info.is_dir()]
    names = [tuple(p for p in info.filename.replace("\\", "/").split("/") if p not in ("", ".")) for info in infos]
    if len({name[0] for name in names if name}) == 1 and all(len(name) > 2 for name in names):
        names = [name[1:] for name in names]  # one folder around everything
    for info, parts in zip(infos, names, strict=True):
        problem = ""
        if ".." in parts or info.filename.startswith(("/", "\\")):
            problem = "its path leads out of the archive; hand in the notebook under a plain name"
            parts = (info.filename, parts[-1])  # nobody's folder: it must not stand in for another student's
        elif stat.S_ISLNK(info.external_attr >> 16):
            problem = f"{parts[-1]} is a link, not a file; hand in the notebook itself"
        elif info.flag_bits & 1:
            problem = "the archive is locked with a password; hand in the notebook itself"

        def read(info: zipfile.ZipInfo = info) -> bytes:
            with archive.open(info) as file:
                return file.read(LARGEST_FILE + 1)

        try:
            modified = datetime(*info.date_time).astimezone()
        except ValueError:
            modified = None
        if parts:
            yield Entry(parts, modified, problem, read)


def _whose(entry: Entry, notebook: str) -> tuple[str, Entry]:
    """The student that an entry belongs to, and the entry with its path in that student's folder."""
    if len(entry.parts) > 1:
        moodle = MOODLE.fullmatch(entry.parts[0])
        student = moodle["student"] if moodle else entry.parts[0]
        return student, Entry(entry.parts[1:], entry.modified, entry.problem, entry.read)
    name = entry.parts[0]
    if canvas := CANVAS.fullmatch(name):
        return canvas["student"], Entry((canvas["file"],), entry.modified, entry.problem, entry.read)
    student = name.removesuffix(".ipynb").removesuffix(notebook).rstrip("_- ") or name
    return student, entry


def _submission(student: str, entries: list[Entry], notebook: str, tasks: list[str], known: set[str]) -> Submission:
    """Choose a student's notebook and read its answers."""
    week = notebook.split("_")[0]
    found = [e for e in entries if e.parts[-1].endswith(".ipynb") and ".ipynb_checkpoints" not in e.parts]
    exact = [e for e in found if e.parts[-1] == f"{notebook}.ipynb"]
    named = (
        exact
        or [e for e in found if week in e.parts[-1]]
        or (found if len(found) == 1 and not re.search(r"week\d\d", found[0].parts[-1]) else [])
    )
    submission = Submission(student)
    if not named:
        links = [e.problem for e in entries if e.problem]
        submission.problem = links[0] if links else f"no notebook {notebook}.ipynb was handed in"
        return submission
    chosen = max(named, key=lambda e: (e.modified.timestamp() if e.modified else 0, e.parts))
    if len(named) > 1:
        submission.warnings.append(f"{len(named)} notebooks were handed in; graded is {'/'.join(chosen.parts)}")
    submission.submitted_at = chosen.modified.isoformat(timespec="seconds") if chosen.modified else ""
    beside = (*chosen.parts[:-1], "timestamp.txt")
    stamps = [e for e in entries if e.parts == beside and len(beside) == 2 and not e.problem]
    if stamps and (time := _timestamp(stamps[0].read())):  # nbgrader's tree, where nbgrader writes it
        submission.submitted_at = time
        submission.warnings.append("the time of submission is that of nbgrader's timestamp.txt")
    submission.problem = chosen.problem
    if not submission.problem:
        read_answers(chosen.read(), tasks, known, submission)
    return submission


def _timestamp(text: bytes) -> str:
    """The time in nbgrader's timestamp.txt, as ISO 8601; "" if it is none."""
    match = re.match(rb"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?(?: ?(UTC|[+-]\d\d:?\d\d))?", text.strip())
    if not match:
        return ""
    day, time, zone = (part.decode() if part else "" for part in match.groups())
    try:
        return datetime.fromisoformat(f"{day}T{time}{zone.replace('UTC', '') or '+00:00'}").isoformat()
    except ValueError:
        return ""


def read_answers(data: bytes, tasks: list[str], known: set[str], submission: Submission) -> None:
    """Take the sources of the answer cells out of a notebook, and nothing else.

    Args:
        data: the file.
        tasks: names; the answer of `name` is the cell with the id `name-answer`.
        known: ids of all cells of the exercise.
        submission: gets the answers, the warnings, or the problem.
    """
    if len(data) > LARGEST_FILE:
        submission.problem = f"the notebook is larger than {LARGEST_FILE // 2**20} MB; clear its outputs"
        return
    try:
        notebook = json.loads(data.decode("utf-8"))
        cells = notebook["cells"]
        if not isinstance(cells, list):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError):
        submission.problem = "the file is not a notebook that can be read; save it again in Jupyter"
        return
    wanted, extra = {f"{task}-answer": task for task in tasks}, 0
    for cell in cells:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        names = _names(cell)
        name = next((name for name in names if name in wanted), "")
        if not name:
            extra += not known & set(names)  # all others come from the solution; a student's own are dropped
            continue
        task, source = wanted[name], cell.get("source", "")
        if isinstance(source, list):
            source = "".join(part for part in source if isinstance(part, str))
        if task in submission.answers:
            submission.warnings.append(f"there are two cells {name}; the first one counts")
        elif problem := _unfit(source, submission.answers):
            submission.warnings.append(f"the cell {name} {problem}; it was left out")
        else:
            submission.answers[task] = source
    if extra:
        submission.warnings.append(f"{extra} code cells are not of the exercise; they were left out")
    for name, task in wanted.items():
        if task not in submission.answers:
            submission.warnings.append(f"the cell {name} is missing; its task counts as not written")
    del submission.warnings[MOST_WARNINGS:]


def _unfit(source: object, others: dict[str, str]) -> str:
    """Why the source of a cell cannot be taken; "" if it can."""
    try:
        size = len(source.encode()) if isinstance(source, str) else -1
    except UnicodeEncodeError:
        size = -1
    if size < 0:
        return "is no text"
    if size > LARGEST_ANSWER:
        return f"is longer than {LARGEST_ANSWER} bytes"
    if size + sum(len(other.encode()) for other in others.values()) > LARGEST_ANSWERS:
        return f"makes all answers together longer than {LARGEST_ANSWERS} bytes"
    return ""


def _names(cell: dict) -> list[str]:
    """What a cell may be called: its id, and nbgrader's grade_id, which tools keep that write new ids."""
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    named = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    return [name for name in (cell.get("id"), named) if isinstance(name, str)]
