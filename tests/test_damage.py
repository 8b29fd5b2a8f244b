"""Damage is named, never read as something else; what was recorded survives kill -9 and a full disk."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vla_course.collection.scripted import collect
from vla_course.data.episodes import Episode, read_episode, read_steps, write_episode
from vla_course.data.store import close_store, episode_folders, open_store, read_metadata, verify
from vla_course.data.windows import WindowDataset
from vla_course.errors import CourseError

DAMAGED_COPIES = 300


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of two short episodes with color and depth: few files, so that 300 copies take seconds."""
    folder = tmp_path_factory.mktemp("damage")
    pictures = {"cameras": ("front",), "modalities": ("rgb", "depth"), "image_size": 32}
    collect(folder / "long", "pick", episodes=2, seed=3, workers=1, **pictures)
    described = read_metadata(folder / "long")
    settings = {
        key: described[key] for key in ("robot", "task", "fps", "cameras", "modalities", "image_size", "features")
    }
    open_store(folder / "short", settings, {"pick": ["pick up the cube", "take the cube"]})
    for long in episode_folders(folder / "long"):
        episode = read_episode(long)
        episode.steps = {name: rows[:2] for name, rows in episode.steps.items()}
        episode.frames = {name: frames[:2] for name, frames in episode.frames.items()}
        write_episode(episode, folder / "short" / "episodes" / long.name)
    close_store(folder / "short")
    return folder / "short"


@pytest.fixture(scope="module")
def originals(whole: Path) -> dict[str, Episode]:
    return {folder.name: read_episode(folder) for folder in episode_folders(whole)}


@pytest.fixture(scope="module")
def samples(whole: Path) -> dict[str, dict]:
    """The training sample of each episode."""
    return dict(zip([f.name for f in episode_folders(whole)], WindowDataset(whole), strict=True))


def copy_of(root: Path, target: Path) -> Path:
    """A copy that costs no disk: its files are links to the same content, so `put` replaces them."""
    shutil.copytree(root, target, copy_function=os.link, ignore=shutil.ignore_patterns("cache"))
    return target


def put(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def edit(path: Path, change: Callable[[dict], object]) -> None:
    """Change the object in a JSON file."""
    content = json.loads(path.read_text())
    change(content)
    put(path, json.dumps(content).encode())


def some_file(root: Path, rng: np.random.Generator, pattern: str = "*") -> Path:
    files = sorted(path for path in root.rglob(pattern) if path.is_file())
    return files[rng.integers(len(files))]


def flip(root: Path, rng: np.random.Generator, pattern: str = "*") -> None:
    path = some_file(root, rng, pattern)
    content = bytearray(path.read_bytes())
    for _ in range(rng.integers(1, 4)):
        content[rng.integers(len(content))] ^= 1 << rng.integers(8)
    put(path, bytes(content))


def cut(root: Path, rng: np.random.Generator) -> None:
    path = some_file(root, rng)
    put(path, path.read_bytes()[: rng.choice([0, rng.integers(path.stat().st_size)])])


def break_json(root: Path, rng: np.random.Generator) -> None:
    path = some_file(root, rng, "*.json")
    text = path.read_text()
    at = rng.integers(len(text))
    middle = rng.choice(["", "NaN", "{", "]", ",", '"', "null", "-", "1", "[" * 100_000, "\ud800", "\0"])
    put(path, (text[:at] + str(middle) + text[at + 1 :]).encode(errors="surrogatepass"))


def put_not_a_number(root: Path, rng: np.random.Generator) -> None:
    def change(steps: dict) -> None:
        rows = steps[rng.choice(sorted(set(steps) - {"reward", "timestamp"}))]
        rows[rng.integers(len(rows))][0] = [float("nan"), float("inf"), 1e39, None, "0.5", True, []][rng.integers(7)]

    edit(some_file(root, rng, "actions.json"), change)


def change_shape(root: Path, rng: np.random.Generator) -> None:
    def change(steps: dict) -> None:
        name = rng.choice(sorted(steps))
        new = [
            lambda rows: rows[:-1],
            lambda rows: [*rows, rows[-1]],
            lambda rows: [[row] for row in rows],
            lambda rows: [0.0 for _ in rows],
            lambda rows: rows[0],
            lambda rows: [],
        ]
        changed = new[rng.integers(len(new))](steps[name])
        steps[name] = changed if changed != steps[name] else None

    edit(some_file(root, rng, "actions.json"), change)


def change_picture(root: Path, rng: np.random.Generator) -> None:
    path = some_file(root, rng, "frame_*")
    with Image.open(path) as image:
        changes = [
            lambda: image.resize((16, 16)),
            lambda: image.convert("L"),
            lambda: image.convert("CMYK" if path.suffix == ".jpg" else "RGB"),
            lambda: image.transpose(Image.Transpose.ROTATE_90),
        ]
        buffer = io.BytesIO()
        changes[rng.integers(len(changes))]().save(buffer, "JPEG" if path.suffix == ".jpg" else "PNG")
    put(path, buffer.getvalue())


def exchange_two(root: Path, rng: np.random.Generator) -> None:
    """Two files of one kind change places: each is sound, where it is now it is wrong."""
    first = some_file(root / "episodes", rng)
    alike = [p for p in sorted(root.rglob("*")) if p.is_file() and p.suffix == first.suffix]
    others = [p for p in alike if p.read_bytes() != first.read_bytes()]
    second = others[rng.integers(len(others))]
    one, other = first.read_bytes(), second.read_bytes()
    put(first, other)
    put(second, one)


def change_version(root: Path, rng: np.random.Generator) -> None:
    version = [0, 3, 99, -1, None, "2", 1.0, True, [2]][rng.integers(9)]
    edit(root / "metadata.json", lambda metadata: metadata.update(schema_version=version))


def remove_folder(root: Path, rng: np.random.Generator) -> None:
    folders = sorted(path for path in root.rglob("*") if path.is_dir())
    shutil.rmtree(folders[rng.integers(len(folders))])


def put_in_place(root: Path, rng: np.random.Generator) -> None:
    """A folder, a pipe, a link to nothing, to itself or to a folder, where a file should be."""
    path = some_file(root, rng)
    path.unlink()
    things = [
        path.mkdir,
        lambda: os.mkfifo(path),
        lambda: path.symlink_to("nothing"),
        lambda: path.symlink_to(path.name),
        lambda: path.symlink_to(root),
    ]
    things[rng.integers(len(things))]()


def put_file_for_folder(root: Path, rng: np.random.Generator) -> None:
    folders = sorted(path for path in root.rglob("*") if path.is_dir())
    folder = folders[rng.integers(len(folders))]
    shutil.rmtree(folder)
    folder.write_bytes(b"")


def add_something(root: Path, rng: np.random.Generator) -> None:
    """What file managers leave behind, and what would be read as more data."""
    episode = root / "episodes" / "episode_0001"
    name = [
        "frames/.DS_Store",
        "notes.txt",
        "frames/frame_0005.jpg",
        "frames/frame_x.jpg",
        "segmentation/frame_0000.png",
    ]
    path = episode / name[rng.integers(len(name))]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes((episode / "frames" / "frame_0000.jpg").read_bytes())


DAMAGE = {
    "any bytes": flip,
    "bytes of a number": lambda root, rng: flip(root, rng, "actions.json"),
    "bytes of a picture": lambda root, rng: flip(root, rng, "*.jpg"),
    "bytes of a description": lambda root, rng: flip(root, rng, "metadata.json"),
    "cut": cut,
    "missing": lambda root, rng: some_file(root, rng).unlink(),
    "missing folder": remove_folder,
    "broken JSON": break_json,
    "not a number": put_not_a_number,
    "shape": change_shape,
    "picture": change_picture,
    "exchanged": exchange_two,
    "version": change_version,
    "something else": put_in_place,
    "a file for a folder": put_file_for_folder,
    "something more": add_something,
}


def same(one: object, other: object) -> bool:
    """Equal to the last bit, dtype and shape included."""
    if isinstance(one, Episode):
        one, other = vars(one), vars(other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if hasattr(one, "dtype"):
        return one.dtype == other.dtype and one.shape == other.shape and bool((one == other).all())
    return type(one) is type(other) and one == other


def named_or_same(read: Callable[[Path], object], folder: Path, original: object) -> bool:
    """Whether reading is refused. What is read is as it was."""
    try:
        found = read(folder)
    except CourseError as error:
        assert "\n" not in str(error) and str(error).startswith(folder.name)
        return True
    assert same(found, original)
    return False


def read_all(
    root: Path, whole: Path, originals: dict[str, Episode], samples: dict[str, dict]
) -> tuple[list[str], set[str]]:
    """Read a damaged data set with every reader: what `verify` names, and the refused episodes; all else is right."""
    try:
        sound, lines = verify(root)
    except CourseError as error:  # the description of the whole
        assert "\n" not in str(error) and "metadata.json" in str(error)
        for read in (WindowDataset, close_store, read_metadata):
            with pytest.raises(CourseError):
                read(root)
        return [str(error)], set()
    assert all("\n" not in line for line in lines)
    ours = {"schema_version": None, "checksums": None}  # may be another: version 1 is read too
    assert same({**read_metadata(root), **ours}, {**read_metadata(whole), **ours})
    folders = episode_folders(root)
    refused = set()
    for folder in folders:
        original = originals[folder.name]
        if named_or_same(read_episode, folder, original):
            refused.add(folder.name)
        assert not named_or_same(read_steps, folder, original.steps) or folder.name in refused
    assert refused == {line.split(":")[0] for line in lines if line.startswith("episode_")}
    assert sound == len(folders) - len(refused)
    try:
        dataset = WindowDataset(root)
        assert not refused
        assert same(list(dataset), [samples[folder.name] for folder in folders])
    except CourseError as error:
        assert "\n" not in str(error) and (refused or not folders)
    return lines, refused


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_named_or_harmless_and_repair_loses_nothing_sound(kind, whole, originals, samples, tmp_path):
    seeds = range(list(DAMAGE).index(kind), DAMAGED_COPIES, len(DAMAGE))
    named = 0
    for seed in seeds:
        root = copy_of(whole, tmp_path / str(seed))
        DAMAGE[kind](root, np.random.default_rng(seed))
        lines, refused = read_all(root, whole, originals, samples)
        named += bool(lines)
        present = {folder.name for folder in episode_folders(root)}
        try:
            verify(root, repair=True)
        except CourseError:  # the description itself, which nobody can guess: the episodes stay where they are
            assert lines
            continue
        assert {folder.name for folder in episode_folders(root)} == present - refused
        assert verify(root) == (len(present - refused), [])
        assert all((root / "damaged" / name).lstat() for name in refused)
    assert named >= 0.8 * len(seeds) or (kind == "something more" and named)


def without_checksums(root: Path) -> None:
    """As the course wrote it before it knew checksums: schema version 1."""
    for path in root.rglob("SHA256SUMS"):
        path.unlink()
    edit(root / "metadata.json", lambda m: [m.update(schema_version=1), m.pop("sha256"), m.pop("checksums")])


def number(text: str) -> Callable[[Path], None]:
    """Put `text` in place of the first number of actions.json."""
    return lambda f: put(f / "actions.json", (f / "actions.json").read_text().replace("[[", f"[[{text}, ", 1).encode())


def save(name: str, mode: str, size: int, kind: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        Image.new(mode, (size, size)).save(folder / name, kind)

    return change


def bomb(folder: Path) -> None:
    """A picture of 100 bytes that says that it is one of 30000 x 30000."""
    buffer = io.BytesIO()
    Image.new("L", (32, 32)).save(buffer, "PNG")
    content = buffer.getvalue()
    header = b"IHDR" + (30_000).to_bytes(4, "big") * 2 + content[24:29]
    put(
        folder / "depth" / "frame_0000.png",
        content[:12] + header + zlib.crc32(header).to_bytes(4, "big") + content[33:],
    )


def replaced(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: put(folder / name, content)


NAMED_WITHOUT_CHECKSUMS = {
    "a string": (number('"0.5"'), "'action' is not a table of numbers"),
    "true": (lambda f: edit(f / "actions.json", lambda s: s.update(reward=[True, False])), "'reward' is not a table"),
    "too large for float32": (lambda f: edit(f / "actions.json", lambda s: s.update(reward=[1e39, 0])), "not finite"),
    "infinity": (number("-Infinity"), "not finite"),
    "thousands of digits": (number("1" * 5000), "actions.json: .*digits"),
    "nested": (replaced("actions.json", b"[" * 100_000), "nested too deeply"),
    "another column": (lambda f: edit(f / "actions.json", lambda s: s.update(more=[1, 2])), "'more' have shape"),
    "a column less": (lambda f: edit(f / "actions.json", lambda s: s.pop("state")), "'state' have shape None"),
    "not UTF-8": (replaced("instruction.txt", b"pick \xff"), "instruction.txt: .*utf-8"),
    "no sentence": (replaced("instruction.txt", b" \n"), "instruction.txt: holds no sentence"),
    "success": (lambda f: edit(f / "metadata.json", lambda m: m.update(success="no")), "success is 'no'"),
    "gray": (save("frames/frame_0001.jpg", "L", 32, "JPEG"), "frames/frame_0001.jpg .*mode L"),
    "four inks": (save("frames/frame_0001.jpg", "CMYK", 32, "JPEG"), "frames/frame_0001.jpg .*mode CMYK"),
    "PNG called JPEG": (save("frames/frame_0001.jpg", "RGB", 32, "PNG"), "frames/frame_0001.jpg is not a readable"),
    "depth of 8 bits": (save("depth/frame_0000.png", "L", 32, "PNG"), "depth/frame_0000.png .*mode L"),
    "another size": (save("frames/frame_0001.jpg", "RGB", 16, "JPEG"), "frames/: picture 1 has shape"),
    "bomb": (bomb, "depth/frame_0000.png is"),
    "renamed": (lambda f: os.rename(f / "frames/frame_0000.jpg", f / "frames/frame_7.jpg"), "frames/frame_7.jpg"),
    "no depth": (lambda f: shutil.rmtree(f / "depth"), "frames of 'front_depth' are missing"),
    "undeclared": (lambda f: os.rename(f / "depth", f / "depth_wrist"), "front_depth|wrist_depth"),
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("case", NAMED_WITHOUT_CHECKSUMS)
def test_what_does_not_fit_is_named_without_checksums_too(case, whole, originals, samples, tmp_path):
    damage, message = NAMED_WITHOUT_CHECKSUMS[case]
    for version in (1, 2):
        root = copy_of(whole, tmp_path / str(version))
        if version == 1:
            without_checksums(root)
        damage(root / "episodes" / "episode_0001")
        lines, refused = read_all(root, whole, originals, samples)
        assert refused == {"episode_0001"} and re.search(message, lines[0])


def test_a_data_set_of_version_1_is_read_and_not_continued(whole, originals, samples, tmp_path):
    root = copy_of(whole, tmp_path / "old")
    without_checksums(root)
    assert read_all(root, whole, originals, samples) == ([], set())
    with pytest.raises(CourseError, match="schema_version = 1, not 2"):
        open_store(root, {}, {})


def test_a_lost_description_is_written_again_from_the_same_settings(whole, tmp_path):
    root = copy_of(whole, tmp_path / "data")
    added = ("episodes", "steps", "statistics", "checksums")
    settings = {key: value for key, value in read_metadata(root).items() if key not in added}
    (root / "metadata.json").unlink()
    open_store(root, settings, {"pick": ["pick up the cube", "take the cube"]})
    close_store(root)
    assert (root / "metadata.json").read_bytes() == (whole / "metadata.json").read_bytes()


def test_what_was_put_aside_is_not_overwritten(whole, tmp_path):
    root = copy_of(whole, tmp_path / "data")
    for name in ("episode_0001", "episode_0001.1", "episode_0001.2"):
        damaged = root / "episodes" / "episode_0001"
        put(damaged / "instruction.txt", name.encode())
        line = f"episode_0001: instruction.txt: is not the file that SHA256SUMS lists (moved to damaged/{name})"
        assert verify(root, repair=True)[1][0] == line
        assert (root / "damaged" / name / "instruction.txt").read_text() == name
        shutil.copytree(whole / "episodes" / "episode_0001", damaged)


def test_sha256sum_agrees(whole):
    if not shutil.which("sha256sum"):
        pytest.skip("this machine has no sha256sum")
    for folder in episode_folders(whole):
        subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True)


@pytest.mark.parametrize(
    "message, change",
    {
        "another data set's shape": lambda e: e.steps.update(state=e.steps["state"][:, :6]),
        "not finite": lambda e: e.steps.update(reward=e.steps["reward"] * np.nan),
        "rows for 1 frames": lambda e: e.frames["front"].pop(),
        "'front_depth' has values beyond": lambda e: e.frames.update(
            front_depth=[d + 66 for d in e.frames["front_depth"]]
        ),
        "float64, not uint8": lambda e: e.frames.update(front=[c / 255 for c in e.frames["front"]]),
        "no sentence": lambda e: setattr(e, "instruction", "\n"),
        "not JSON serializable": lambda e: e.metadata.update(seed=np.int64(1)),
    }.items(),
)
def test_what_could_not_be_read_back_is_not_written(message, change, whole, tmp_path):
    root = copy_of(whole, tmp_path / "data")
    episode = read_episode(root / "episodes" / "episode_0000")
    change(episode)
    with pytest.raises(CourseError, match=message.replace("another data set's shape", "declares")):
        write_episode(episode, root / "episodes" / "episode_0002")
    assert verify(root) == (2, [])


# Reads lines "folder, seconds or -1, file operations or -1". For each, a process writes a data set into the folder, and
# dies by SIGKILL after the seconds, or before it touches the folder for the n-th time. The simulator is loaded once,
# before: the processes are copies of this one.
COLLECTOR = """
import os, signal, sys, time
from pathlib import Path
from vla_course.collection.scripted import collect
from vla_course.data.episodes import read_episode, write_episode
from vla_course.data.store import close_store, episode_folder, open_store

def record(root, episodes=12):
    collect(root, "push_left", episodes, seed=9, workers=1, image_size=32)

def write_again(root):
    open_store(root, {"robot": "panda"}, {"push": ["push it"]})
    if not episode_folder(root, 0).exists():
        write_episode(episode, episode_folder(root, 0))
    close_store(root)

def die_at(root, operations):
    def count(event, arguments):
        nonlocal operations
        if any(isinstance(a, (str, os.PathLike)) and str(a).startswith(root) for a in arguments[:2]):
            operations -= 1
            if operations < 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)

first = Path(sys.argv[1])
record(first, 1)
episode = read_episode(episode_folder(first, 0))
for line in sys.stdin:
    root, seconds, operations = line.split()
    child = os.fork()
    if child == 0:
        if int(operations) >= 0:
            die_at(root, int(operations))
            write_again(Path(root))
        else:
            record(Path(root))
        os._exit(0)
    if float(seconds) >= 0:
        time.sleep(float(seconds))
        os.kill(child, signal.SIGKILL)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.fixture(scope="module")
def collector(tmp_path_factory) -> Iterator[Callable[..., bool]]:
    """Starts a collection in a process of its own; whether it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", COLLECTOR, tmp_path_factory.mktemp("collector") / "first"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TQDM_DISABLE": "1"},
    )

    def start(root: Path, seconds: float = -1, operations: int = -1) -> bool:
        process.stdin.write(f"{root} {seconds} {operations}\n")
        process.stdin.flush()
        status = int(process.stdout.readline())
        assert status in (0, signal.SIGKILL)
        return status == signal.SIGKILL

    yield start
    process.stdin.close()
    process.wait(timeout=60)


def files(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def episodes_of(root: Path) -> dict[str, bytes]:
    return {name: content for name, content in files(root).items() if name.startswith("episodes/episode_")}


def is_sound(root: Path) -> None:
    """After a kill: nothing there is half-made."""
    if (root / "metadata.json").exists():
        assert verify(root) == (len(episode_folders(root)), [])
    else:
        assert not episodes_of(root)


def test_killed_at_20_random_moments_it_ends_with_the_same_data_set(collector, tmp_path):
    rng = np.random.default_rng(4)
    start = time.monotonic()
    assert not collector(tmp_path / "whole")
    duration = time.monotonic() - start
    expected = files(tmp_path / "whole")
    kills = run = 0
    while kills < 20 or files(tmp_path / str(run)) != expected:
        root = tmp_path / str(run)
        before = episodes_of(root)
        killed = collector(root, rng.uniform(0, duration / 4) if kills < 20 else -1)
        is_sound(root)
        assert before.items() <= episodes_of(root).items()  # what was written is still there, to the last byte
        kills += killed
        if not killed:  # it came to its end before: the next kills are for another data set
            assert files(root) == expected
            run += kills < 20


def test_killed_before_each_file_operation_it_ends_with_the_same_data_set(collector, tmp_path):
    never = 10**6
    assert not collector(tmp_path / "whole", operations=never)
    expected = files(tmp_path / "whole")
    operations = 0
    while collector(root := tmp_path / str(operations), operations=operations):
        is_sound(root)
        assert not collector(root, operations=never)
        assert files(root) == expected
        operations += 1
    assert operations > 40


FULL_DISK = """
import subprocess, sys
from pathlib import Path
from vla_course.collection.scripted import collect
from vla_course.data.store import close_store, episode_folders, verify
from vla_course.errors import CourseError

disk = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "none", disk], check=True)
try:
    collect(disk / "data", "push_left", episodes=12, seed=9, workers=1, image_size=32)
except CourseError as error:
    print(error)
print(verify(disk / "data"))
kept = len(episode_folders(disk / "data"))
subprocess.run(["mount", "-o", "remount,size=10m", disk], check=True)
collect(disk / "data", "push_left", episodes=12, seed=9, workers=1, image_size=32)
print(kept, verify(disk / "data"))
"""


def test_a_full_disk_is_reported_and_what_was_written_is_safe(tmp_path):
    inside = ["unshare", "--user", "--map-root-user", "--mount"]  # our own mounts, without being root
    if not shutil.which("unshare") or subprocess.run([*inside, "true"], capture_output=True).returncode:
        pytest.skip("a small disk can be made only on Linux with user namespaces")
    command = [*inside, sys.executable, "-c", FULL_DISK, tmp_path]
    result = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "TQDM_DISABLE": "1"}, timeout=300
    )
    assert result.returncode == 0, result.stderr
    message, state, end = result.stdout.splitlines()
    assert "No space left on device; free space" in message
    kept = int(end.split()[0])
    assert 1 <= kept < 12 and state == f"({kept}, [])" and end == f"{kept} (12, [])"
