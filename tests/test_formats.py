"""A data set goes to every format and back; what comes from elsewhere is read as it is, or refused in one line."""

import json
import os
import shutil
import subprocess
import weakref
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from vla_course.data.episodes import Episode, read_episode, write_episode
from vla_course.data.formats import FORMATS, export_dataset, import_dataset, is_dataset
from vla_course.data.formats.lerobot_stats import episode_statistics, pool
from vla_course.data.formats.recording import read_recording
from vla_course.data.formats.video import read_video, write_video
from vla_course.data.store import close_store, episode_folder, episode_folders, open_store, read_metadata, verify
from vla_course.errors import CourseError

SHIPPED = Path(__file__).parent.parent / "data_samples" / "demonstrations" / "place"
EXACT = [name for name in FORMATS if name != "video-csv"]  # films lose a little
POSE = ["x", "y", "z", "roll", "pitch", "yaw", "gripper"]


def feature(shape, names):
    return {"dtype": "float32", "shape": shape, "names": names, "units": ["1"] * len(names)}


FEATURES = {
    "action": feature([7], POSE),
    "state": feature([7], POSE),
    "joints": feature([6], [f"joint_{i}" for i in range(6)]),
    "reward": feature([], ["reward"]),
    "force": feature([], ["force"]),
    "timestamp": feature([], ["timestamp"]),
    "corners": feature([2, 3], [["a", "b", "c"], ["d", "e", "f"]]),
}


def scene(rng, length, size):
    """A smooth picture with a bright square of a tenth of its width, that moves."""
    ramp = np.linspace(40, 200, size)
    pictures = []
    for i in range(length):
        picture = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], 90 + 0 * ramp[:, None] * ramp), -1)
        side, at = max(1, size // 10), (i * 3) % (size - 4)
        picture[at : at + side, at : at + side] = rng.integers(0, 256, 3)
        pictures.append(picture.astype(np.uint8))
    return pictures


def make_dataset(root: Path, lengths=(5, 3, 7), size=32, cameras=("front", "wrist", "overhead"), seed=0) -> Path:
    """A data set of a robot with six joints; one episode failed, one number is missing, two tasks."""
    rng = np.random.default_rng(seed)
    settings = {"robot": "xarm6", "task": "all", "action_mode": "ee_delta", "fps": 10, "cameras": list(cameras)}
    settings |= {"modalities": ["rgb", "depth", "segmentation"], "image_size": size, "seed": 5, "features": FEATURES}
    open_store(root, settings, {"pick": ["pick up the {target}"], "stack": ["stack them", "“pile” them up"]})
    for i, length in enumerate(lengths):
        steps = {n: rng.normal(size=(length, *f["shape"])).astype(np.float32) for n, f in FEATURES.items()}
        steps["timestamp"] = np.arange(length, dtype=np.float32) / np.float32(10)
        frames = {}
        for camera in cameras:
            frames[camera] = scene(rng, length, size)
            frames[f"{camera}_depth"] = list(rng.uniform(0, 5, (length, size, size)).astype(np.float32))
            frames[f"{camera}_segmentation"] = list(rng.integers(-1, 200, (length, size, size)).astype(np.int32))
        metadata = {"task": ("pick", "stack")[i % 2], "seed": i, "robot": "xarm6", "success": i != 1}
        metadata |= {"goal_conditions": {"lifted": i != 1}, "pointing": ["the red cube"]}
        sentence = ("pick up the cube", "stack them, “now”")[i % 2]
        write_episode(Episode(metadata, sentence, steps, frames), episode_folder(root, i if i < 2 else i + 4))
    close_store(root)
    return root


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("source") / "data")


@pytest.fixture(scope="module")
def exported(dataset, tmp_path_factory) -> dict[str, Path]:
    """The data set in every format."""
    root = tmp_path_factory.mktemp("exported")
    for name in FORMATS:
        assert export_dataset(dataset, root / name, name) == 3
    return {name: root / name for name in FORMATS}


def copy(source: Path, target: Path, without_ours: bool = False) -> Path:
    shutil.copytree(source, target)
    if without_ours:
        shutil.rmtree(target / "vla_course")
    return target


def content(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def episodes(root: Path) -> list[Episode]:
    return [read_episode(folder) for folder in episode_folders(root)]


@pytest.mark.parametrize("name", EXACT)
def test_every_file_comes_back(name, dataset, exported, tmp_path):
    assert import_dataset(exported[name], tmp_path / "back", name) == 3
    before, after = content(dataset), content(tmp_path / "back")
    assert before.keys() == after.keys()
    assert [file for file in before if before[file] != after[file]] == []


def test_films_and_tables_give_back_all_but_a_little_color(dataset, exported, tmp_path):
    import_dataset(exported["video-csv"], tmp_path / "back", "video-csv")
    before, after = content(dataset), content(tmp_path / "back")
    assert before.keys() == after.keys()
    changed = {file for file in before if before[file] != after[file]}
    assert all(file.endswith((".jpg", "SHA256SUMS")) for file in changed)
    for old, new in zip(episodes(dataset), episodes(tmp_path / "back"), strict=True):
        for camera in ("front", "wrist", "overhead"):
            error = np.abs(np.stack(old.frames[camera]).astype(int) - np.stack(new.frames[camera]))
            assert error.mean() < 1.5 and np.quantile(error, 0.99) <= 8  # of 255; a film and a JPEG between them


def test_shipped_demonstrations_come_back(tmp_path):
    for name in FORMATS:
        export_dataset(SHIPPED, tmp_path / name, name)
        import_dataset(tmp_path / name, tmp_path / f"{name}_back", name)
        for old, new in zip(episodes(SHIPPED), episodes(tmp_path / f"{name}_back"), strict=True):
            assert old.metadata == new.metadata and old.instruction == new.instruction
            assert all(np.array_equal(rows, new.steps[key]) for key, rows in old.steps.items())
        kept, found = read_metadata(SHIPPED), read_metadata(tmp_path / f"{name}_back")
        assert all(found[key] == kept[key] for key in kept if key != "schema_version")


numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=8, deadline=None)
@given(st.integers(2, 4).flatmap(lambda length: arrays(np.float32, (length, 7), elements=numbers)))
def test_numbers_come_back_exactly(tmp_path_factory, rows):
    root = tmp_path_factory.mktemp("numbers")
    features = {"action": feature([7], POSE), "state": feature([7], POSE), "joints": feature([7], POSE)}
    features["timestamp"] = feature([], ["timestamp"])
    time = np.arange(len(rows), dtype=np.float32)
    open_store(root / "data", {"robot": "r", "fps": 1, "cameras": [], "modalities": [], "features": features}, {})
    steps = {"action": rows, "state": rows[::-1], "joints": rows * 0, "timestamp": time}
    metadata = {"task": "t", "seed": 0, "robot": "r", "success": True}
    write_episode(Episode(metadata, "go", steps), episode_folder(root / "data", 0))
    for name in FORMATS:
        export_dataset(root / "data", root / name, name)
        import_dataset(root / name, root / f"{name}_back", name)
        back = episodes(root / f"{name}_back")[0].steps
        assert all(np.array_equal(steps[key], back[key]) for key in steps)


@pytest.mark.parametrize("name", ["lerobot-v3.0", "lerobot-v2.1", "video-csv"])
def test_what_a_format_itself_holds_survives_without_our_folder(name, dataset, exported, tmp_path):
    source = copy(exported[name], tmp_path / "source", without_ours=True)
    import_dataset(source, tmp_path / "back", name)
    assert verify(tmp_path / "back") == (3, [])
    kept, found = read_metadata(dataset), read_metadata(tmp_path / "back")
    assert all(found[key] == kept[key] for key in ("fps", "cameras", "modalities", "image_size"))
    assert found["robot"] == ("xarm6" if name.startswith("lerobot") else "unknown")
    assert all(found["features"][key]["names"] == FEATURES[key]["names"] for key in ("action", "state", "joints"))
    for old, new in zip(episodes(dataset), episodes(tmp_path / "back"), strict=True):
        assert new.instruction == old.instruction and new.metadata["success"] == old.metadata["success"]
        assert new.steps.keys() == old.steps.keys() and new.frames.keys() == old.frames.keys()
        assert all(np.array_equal(rows.ravel(), new.steps[key].ravel()) for key, rows in old.steps.items())
        assert all(np.array_equal(old.frames[s], new.frames[s]) for s in old.frames if "_" in s)


def test_a_droid_record_has_its_own_gripper_and_joint_deltas(dataset, exported, tmp_path):
    source = copy(exported["droid"], tmp_path / "source", without_ours=True)
    import_dataset(source, tmp_path / "back", "droid")
    for old, new in zip(episodes(dataset), episodes(tmp_path / "back"), strict=True):
        gripper = old.steps["action"][:, -1]
        assert np.allclose(new.steps["action"][:, -1], gripper, atol=1e-6)  # +1 open again
        assert np.allclose(new.steps["action"][:-1, :6], np.diff(old.steps["joints"], axis=0), atol=1e-6)
        assert not new.steps["action"][-1, :6].any()
        assert np.allclose(new.steps["state"], old.steps["state"], atol=1e-6)
        assert np.array_equal(new.steps["joints"], old.steps["joints"])
        assert np.array_equal(new.frames["wrist"], old.frames["wrist"])
        assert new.metadata["success"] == old.metadata["success"]
    record = json.loads((source / "episode_0000" / "record.json").read_text())
    assert record["language_instruction"] == "pick up the cube" and record["success"] is True
    opened = episodes(dataset)[0].steps["action"][0, -1]
    assert record["actions"][0]["gripper_command"] == pytest.approx((1 - opened) / 2)  # 0 open, 1 closed
    assert record["observations"][0]["image"]["depth"] == "images/front_depth_0000.png"


def test_a_film_loses_little_and_can_be_entered_anywhere(tmp_path):
    frames = scene(np.random.default_rng(0), 40, 64)
    write_video(tmp_path / "film.mp4", frames, 10)
    back, fps = read_video(tmp_path / "film.mp4")
    error = np.abs(np.stack(back).astype(int) - np.stack(frames))
    assert fps == 10 and len(back) == 40 and error.mean() < 1
    part, _ = read_video(tmp_path / "film.mp4", start=2.3, count=4)
    assert np.array_equal(part, back[23:27])


def with_films(root: Path) -> None:
    """Turn the color pictures of a LeRobot v3.0 data set into one film a camera, as lerobot itself records them."""
    info = json.loads((root / "meta/info.json").read_text())
    keys = [key for key, f in info["features"].items() if key.startswith("observation.images.")]
    path, index = root / "data/chunk-000/file-000.parquet", root / "meta/episodes/chunk-000/file-000.parquet"
    table, rows = pq.read_table(path), pq.read_table(index).to_pylist()
    for key in keys:
        info["features"][key]["dtype"] = "video"
        folder = root / "videos" / key / "chunk-000"
        folder.mkdir(parents=True)
        pictures = [Image.open(pa.BufferReader(cell["bytes"])) for cell in table[key].to_pylist()]
        write_video(folder / "file-000.mp4", [np.asarray(picture) for picture in pictures], info["fps"])
        for row in rows:
            row |= {f"videos/{key}/chunk_index": 0, f"videos/{key}/file_index": 0}
            row[f"videos/{key}/from_timestamp"] = row["dataset_from_index"] / info["fps"]
    info["video_path"] = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
    (root / "meta/info.json").write_text(json.dumps(info))
    pq.write_table(table.drop_columns(keys), path)
    pq.write_table(pa.Table.from_pylist(rows), index)


def test_lerobot_films_are_read(dataset, exported, tmp_path):
    source = copy(exported["lerobot-v3.0"], tmp_path / "source", without_ours=True)
    with_films(source)
    import_dataset(source, tmp_path / "back", "lerobot-v3.0")
    for old, new in zip(episodes(dataset), episodes(tmp_path / "back"), strict=True):
        assert np.abs(np.stack(old.frames["front"]).astype(int) - np.stack(new.frames["front"])).mean() < 1.5
        assert np.array_equal(old.frames["front_depth"], new.frames["front_depth"])


def test_foreign_cameras_find_a_place_and_the_rest_is_named(exported, tmp_path):
    source = copy(exported["lerobot-v2.1"], tmp_path / "source", without_ours=True)
    info = json.loads((source / "meta/info.json").read_text())
    renamed = {"observation.images.front": "observation.images.cam_high", "observation.images.wrist": "right_wrist"}
    info["features"] = {renamed.get(key, key): f for key, f in info["features"].items()}
    info["features"]["note"] = {"dtype": "string", "shape": [1], "names": None}
    for stream in ("front", "wrist", "overhead"):
        del info["features"][f"observation.segmentation.{stream}"], info["features"][f"observation.depth.{stream}"]
    (source / "meta/info.json").write_text(json.dumps(info))
    for path in source.glob("data/*/*.parquet"):
        table = pq.read_table(path)
        pq.write_table(table.rename_columns([renamed.get(name, name) for name in table.column_names]), path)
    import_dataset(source, tmp_path / "back", "lerobot-v2.1")
    found = read_metadata(tmp_path / "back")
    assert found["cameras"] == ["front", "wrist", "overhead"] and found["left_out"] == ["note"]
    assert found["camera_names"] == {"front": "observation.images.cam_high", "wrist": "right_wrist"}


def test_pictures_of_other_kinds_are_converted(tmp_path):
    folder = tmp_path / "source" / "run_1"
    (folder / "left eye").mkdir(parents=True)
    picture = np.full((16, 16, 3), (200, 30, 90), np.uint8)
    for i in range(3):
        Image.fromarray(picture).convert("RGBA").save(folder / "left eye" / f"{i}.png")
    (folder / "steps.csv").write_text("timestamp,action.x,action.gripper\n0,1,1\n0.5,2,1\n1,3,-1\n")
    (folder / "instruction.txt").write_text("go there\n")
    assert import_dataset(tmp_path / "source", tmp_path / "back", "video-csv") == 1
    episode, found = episodes(tmp_path / "back")[0], read_metadata(tmp_path / "back")
    assert np.abs(np.stack(episode.frames["front"]).astype(int) - picture).max() <= 2  # PNG to JPEG
    assert episode.steps["action"].tolist() == [[1, 1], [2, 1], [3, -1]]
    assert (
        found["fps"] == 2 and found["robot"] == "unknown" and found["features"]["action"]["names"] == ["x", "gripper"]
    )
    assert episode.metadata["success"] is True and episode.metadata["task"] == "go_there"


def test_statistics_are_those_of_all_rows(dataset):
    recordings = [read_recording(folder) for folder in episode_folders(dataset)]
    first, *others = [episode_statistics(recording, {}) for recording in recordings]
    for other in others:
        first = pool(first, other)
    rows = np.concatenate([r.episode.steps["action"] for r in recordings]).astype(np.float64)
    pixels = np.concatenate([np.stack(r.episode.frames["front"]) for r in recordings]) / 255
    for measured, values, shape in (
        (first["action"], rows, (7,)),
        (first["observation.images.front"], pixels.reshape(-1, 3), (3, 1, 1)),
    ):
        assert np.allclose(measured["mean"], values.mean(0).reshape(shape))
        assert np.allclose(measured["std"], values.std(0).reshape(shape))
        assert np.allclose(measured["min"], values.min(0).reshape(shape))
        assert measured["q50"].shape == shape and measured["count"] == 15


@pytest.mark.parametrize("name", FORMATS)
def test_one_episode_at_a_time_is_in_memory(name, exported):
    alive: list[weakref.ref] = []
    for recording in FORMATS[name].read(exported[name])[1]:
        alive.append(weakref.ref(recording))
        assert sum(ref() is not None for ref in alive) == 1
    assert len(alive) == 3


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("name", FORMATS)
def test_damage_is_refused_in_one_line_or_read_correctly(name, ours, tmp_path):
    source = make_dataset(tmp_path / "data", lengths=(2,), size=8, cameras=("front",))
    export_dataset(source, tmp_path / "exported", name)
    exported = copy(tmp_path / "exported", tmp_path / "whole", without_ours=not ours)
    files = sorted(p.relative_to(exported) for p in exported.rglob("*") if p.is_file())
    rng, refused = np.random.default_rng(7), 0
    for trial in range(24):
        damaged, victim = copy(exported, tmp_path / f"damaged_{trial}"), files[trial % len(files)]
        data = bytearray((damaged / victim).read_bytes())
        if trial % 3 == 0:
            (damaged / victim).write_bytes(data[: rng.integers(len(data))])
        elif trial % 3 == 1:
            data[rng.integers(len(data))] ^= 1 << rng.integers(8)
            (damaged / victim).write_bytes(data)
        else:
            (damaged / victim).unlink()
        try:
            import_dataset(damaged, tmp_path / "back", name)
        except CourseError as error:
            refused += 1
            assert "\n" not in str(error) and not list(tmp_path.glob(".*")) and not (tmp_path / "back").exists()
        else:
            assert verify(tmp_path / "back") == (1, [])
            assert not ours or content(tmp_path / "back") == content(source)  # checksums find every change
            shutil.rmtree(tmp_path / "back")
    assert refused >= (22 if ours else 10)


def test_what_is_not_of_the_format_is_refused(dataset, exported, tmp_path):
    for name in FORMATS:
        for source in (dataset, tmp_path / "nothing", *(exported[n] for n in FORMATS if n != name)):
            with pytest.raises(CourseError, match="cannot be read as") as caught:
                import_dataset(source, tmp_path / "back", name)
            assert "\n" not in str(caught.value)
        with pytest.raises(CourseError):
            export_dataset(exported[name], tmp_path / "back", name)
        with pytest.raises(CourseError, match="exists already"):
            export_dataset(dataset, tmp_path, name)
    with pytest.raises(CourseError, match="choose one of: droid, lerobot"):
        export_dataset(dataset, tmp_path / "back", "rlds")
    assert is_dataset(dataset) and not any(map(is_dataset, exported.values()))
    assert list(tmp_path.iterdir()) == []


def test_an_edited_export_is_not_mixed_up_with_our_folder(exported, tmp_path):
    source = copy(exported["droid"], tmp_path / "source")
    shutil.rmtree(source / "episode_0000")
    with pytest.raises(CourseError, match="delete vla_course/"):
        import_dataset(source, tmp_path / "back", "droid")


def test_a_damaged_episode_stops_an_export_and_nothing_half_made_stays(dataset, tmp_path):
    source = copy(dataset, tmp_path / "source")
    (episode_folders(source)[2] / "actions.json").write_text("{}")
    for name in FORMATS:
        with pytest.raises(CourseError, match="episode_0006"):
            export_dataset(source, tmp_path / "target", name)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_a_record_needs_joints_and_a_gripper(tmp_path):
    root = tmp_path / "data"
    open_store(root, {"robot": "r", "fps": 1, "features": {"action": feature([7], POSE)}}, {})
    metadata = {"task": "t", "seed": 0, "robot": "r", "success": True}
    write_episode(Episode(metadata, "go", {"action": np.zeros((2, 7), np.float32)}), episode_folder(root, 0))
    with pytest.raises(CourseError, match="needs joints"):
        export_dataset(root, tmp_path / "target", "droid")


# The real lerobot needs a Python environment of its own. Each variable names an interpreter that has it:
#   VLA_COURSE_LEROBOT_PYTHON      lerobot 0.4 or later, which reads v3.0
#   VLA_COURSE_LEROBOT_V2_PYTHON   lerobot 0.3 (with av below 16), which reads v2.1
LEROBOT = {"lerobot-v3.0": "VLA_COURSE_LEROBOT_PYTHON", "lerobot-v2.1": "VLA_COURSE_LEROBOT_V2_PYTHON"}
LOAD = """
import json, sys
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset
root, out = sys.argv[1:]
data = LeRobotDataset("course/data", root=root)
rows = [data[i] for i in range(len(data))]
keys = [k for k in rows[0] if k != "task"]
np.savez(out, **{k: np.stack([row[k].numpy() for row in rows]) for k in keys})
stats = {k: {m: np.asarray(v).tolist() for m, v in s.items()} for k, s in data.meta.stats.items()}
print(json.dumps({"task": [r["task"] for r in rows], "fps": data.fps, "robot": data.meta.robot_type, "stats": stats,
                  "episodes": data.num_episodes, "names": data.meta.features["action"]["names"]}))
"""
RECORD = """
import sys
import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset
root = sys.argv[1]
numbers = {"dtype": "float32", "shape": (3,), "names": ["x", "y", "gripper"]}
pictures = {"shape": (64, 64, 3), "names": ["height", "width", "channels"]}
features = {"action": numbers, "observation.state": numbers,
            "observation.images.top": {"dtype": "video", **pictures},
            "observation.images.hand": {"dtype": "image", **pictures}}
data = LeRobotDataset.create("course/data", fps=10, features=features, root=root, robot_type="so100", use_videos=True)
for episode in range(3):
    for i in range(6):
        picture = np.full((64, 64, 3), 40 * episode + 5 * i, np.uint8)
        row = np.array([episode, i, 1], np.float32)
        frame = {"action": row, "observation.state": -row, "observation.images.top": picture,
                 "observation.images.hand": picture}
        task = f"task {episode % 2}"
        try:
            data.add_frame({**frame, "task": task})
        except TypeError:
            data.add_frame(frame, task=task)
    data.save_episode()
getattr(data, "finalize", lambda: None)()
"""


def run_lerobot(name: str, script: str, *arguments: Path) -> str:
    python = os.environ.get(LEROBOT[name])
    if not python:
        pytest.skip(f"{LEROBOT[name]} names no interpreter that has lerobot")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(arguments[0].parent / "cache")}
    environment.pop("PYTHONPATH", None)
    command = [python, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("name", LEROBOT)
def test_the_real_lerobot_loads_every_frame_of_our_export(name, dataset, tmp_path):
    export_dataset(dataset, tmp_path / "exported", name)
    said = json.loads(run_lerobot(name, LOAD, tmp_path / "exported", tmp_path / "out.npz").splitlines()[-1])
    loaded, ours = np.load(tmp_path / "out.npz"), episodes(dataset)
    assert said["fps"] == 10 and said["robot"] == "xarm6" and said["episodes"] == 3 and said["names"] == POSE
    assert said["task"] == [e.instruction for e in ours for _ in range(len(e))]
    keys = {"state": "observation.state", "joints": "observation.joints", "reward": "next.reward"}
    for key in ("action", "state", "joints", "reward", "force", "corners"):
        assert np.array_equal(loaded[keys.get(key, key)], np.concatenate([e.steps[key] for e in ours]))
    for camera in ("front", "wrist", "overhead"):
        pictures = np.concatenate([np.stack(e.frames[camera]) for e in ours])
        theirs = loaded[f"observation.images.{camera}"].transpose(0, 2, 3, 1)
        assert np.array_equal(np.round(theirs * 255).astype(np.uint8), pictures)
        depth = np.concatenate([np.stack(e.frames[f"{camera}_depth"]) for e in ours])
        assert np.allclose(loaded[f"observation.depth.{camera}"][:, 0] / 1000, depth, atol=1e-6)
        bodies = np.concatenate([np.stack(e.frames[f"{camera}_segmentation"]) for e in ours])
        assert np.array_equal(np.round(loaded[f"observation.segmentation.{camera}"][:, 0] * 255) - 1, bodies)
    actions = np.concatenate([e.steps["action"] for e in ours]).astype(np.float64)
    assert np.allclose(said["stats"]["action"]["std"], actions.std(0))
    assert np.shape(said["stats"]["observation.images.front"]["mean"]) == (3, 1, 1)


@pytest.mark.parametrize("name", LEROBOT)
def test_what_the_real_lerobot_recorded_is_read(name, tmp_path):
    run_lerobot(name, RECORD, tmp_path / "recorded")
    assert import_dataset(tmp_path / "recorded", tmp_path / "back", name) == 3
    metadata = read_metadata(tmp_path / "back")
    assert metadata["robot"] == "so100" and metadata["fps"] == 10
    assert metadata["features"]["action"]["names"] == ["x", "y", "gripper"]
    for i, episode in enumerate(episodes(tmp_path / "back")):
        assert episode.instruction == f"task {i % 2}" and episode.metadata["success"] is True
        assert episode.steps["action"].tolist() == [[i, j, 1] for j in range(6)]
        assert np.array_equal(episode.steps["state"], -episode.steps["action"])
        right = np.array([40 * i + 5 * j for j in range(6)])[:, None, None, None]
        for camera in ("front", "wrist"):  # the film and the pictures
            assert np.abs(np.stack(episode.frames[camera]).astype(int) - right).max() <= 4
