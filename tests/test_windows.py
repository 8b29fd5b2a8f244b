"""Windows hold what was recorded, no episode is on both sides of a split, and memory stays flat."""

import shutil
import tracemalloc
from functools import partial
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vla_course.collection.scripted import collect
from vla_course.data import episodes, windows
from vla_course.data.augmentation import (
    as_tensors,
    as_tv_tensors,
    augment,
    blur,
    color_jitter,
    cut_out,
    depth_drop_out,
    depth_noise,
    shift_crop,
)
from vla_course.data.episodes import Episode, read_episode, write_episode
from vla_course.data.formats import export_dataset, import_dataset
from vla_course.data.mirror import mirror
from vla_course.data.store import close_store, episode_folder, episode_folders, open_store, read_metadata, verify
from vla_course.data.windows import WindowDataset
from vla_course.errors import CourseError
from vla_course.sim.env import TabletopEnv
from vla_course.sim.sensors import SENSORS

COLORS = ("red", "green", "blue")
COLUMNS = {"action": (7,), "state": (7,), "target_pixel": (2,), "pointing_pixels": (2, 2)}


def make_dataset(root: Path, count: int) -> Path:
    """Episodes of noise, 1 to 6 steps long; every fourth is a failure. The color goes around with the number."""
    features = {name: {"shape": list(shape)} for name, shape in COLUMNS.items()}
    open_store(root, {"features": features, "cameras": ["front"], "modalities": ["rgb"], "image_size": 8}, {})
    with mock.patch.object(episodes, "sync"), mock.patch.object(episodes, "sync_one"):
        for i in range(count):
            rng = np.random.default_rng(i)
            length = int(rng.integers(1, 7))
            metadata = {"task": "pick", "seed": i, "robot": "panda", "success": i % 4 != 3, "pointing": ["a", f"b {i}"]}
            steps = {name: rng.random((length, *shape), np.float32) for name, shape in COLUMNS.items()}
            frames = {"front": list(rng.integers(0, 256, (length, 8, 8, 3), np.uint8))}
            episode = Episode(metadata, f"pick up the {COLORS[i % 3]} cube", steps, frames)
            write_episode(episode, episode_folder(root, i))
    close_store(root)
    return root


@pytest.fixture(scope="module")
def noise(tmp_path_factory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("noise") / "set", 40)


@pytest.fixture(scope="module")
def rich(tmp_path_factory) -> Path:
    """Two episodes with two cameras, three modalities and every sensor."""
    root = tmp_path_factory.mktemp("rich") / "set"
    cameras, modalities = ("front", "wrist"), ("rgb", "depth", "segmentation")
    collect(root, "push_left", 2, workers=1, cameras=cameras, modalities=modalities, sensors=tuple(SENSORS))
    return root


@pytest.mark.parametrize("every_step", [False, True])
@pytest.mark.parametrize("chunk", [1, 4, 9])
def test_a_window_is_what_a_plain_loop_over_the_episodes_gives(noise, chunk, every_step):
    dataset = WindowDataset(noise, chunk, every_step)
    expected = []
    for folder in episode_folders(noise):
        episode = read_episode(folder)
        for step in range(len(episode) if every_step else 1):
            rows = [min(step + k, len(episode) - 1) for k in range(chunk)]
            window = {
                "action": episode.steps["action"][rows],
                "action_is_pad": np.array([step + k >= len(episode) for k in range(chunk)]),
                "observation.state": episode.steps["state"][step],
                "observation.images.front": episode.frames["front"][step].transpose(2, 0, 1) / np.float32(255),
                "target_pixel": episode.steps["target_pixel"][step],
                "pointing.pixel": episode.steps["pointing_pixels"][step],
                "pointing.task": episode.metadata["pointing"],
                "task": episode.instruction,
            }
            if episode.metadata["success"]:
                expected.append(window)
    assert len(dataset) == len(expected)
    order = np.random.default_rng(0).permutation(len(expected)).tolist()
    batch = dataset.__getitems__(order)
    for row, index in enumerate(order):
        for single in (dataset[index], dataset[index - len(dataset)]):
            assert single.keys() == batch.keys() == expected[index].keys()
            for key, value in expected[index].items():
                assert np.array_equal(single[key], value) and np.array_equal(batch[key][row], value), key
    for outside in (len(dataset), -len(dataset) - 1):
        with pytest.raises(IndexError):
            dataset[outside]


def test_depth_masks_and_sensors_come_out_as_they_were_recorded(rich):
    assert set(windows.SENSORS) == set(SENSORS)  # data does not know sim, so the names are written twice
    dataset = WindowDataset(rich, every_step=True)
    index = 0
    for folder in episode_folders(rich):
        episode = read_episode(folder)
        assert len(episode.frames) == 6
        for step in range(len(episode)):
            window = dataset[index]
            for camera in ("front", "wrist"):
                depth, bodies = (episode.frames[f"{camera}_{kind}"][step] for kind in ("depth", "segmentation"))
                assert np.array_equal(window[f"observation.depth.{camera}"], depth[None])
                assert np.array_equal(window[f"observation.segmentation.{camera}"], bodies[None])
                assert window[f"observation.depth.{camera}"].dtype == torch.float32
                assert window[f"observation.segmentation.{camera}"].dtype == torch.int32
                image = window[f"observation.images.{camera}"].permute(1, 2, 0) * 255
                assert np.array_equal(image.round().byte(), episode.frames[camera][step])
            for name in SENSORS:
                assert np.array_equal(window[f"observation.{name}"], episode.steps[name][step])
            index += 1
    assert index == len(dataset)


def test_every_augmentation_and_the_mirror_take_such_a_batch(rich):
    batch = WindowDataset(rich, every_step=True).__getitems__([0, 3])
    seen = {key: rows for key, rows in batch.items() if key.removeprefix("observation.") not in SENSORS}
    strong = partial(cut_out, largest=0.9)
    transforms = [color_jitter, shift_crop, blur, strong, depth_noise, depth_drop_out, lambda sample, _: mirror(sample)]
    changed = augment(seen, torch.Generator().manual_seed(0), transforms)
    for key, rows in seen.items():
        if isinstance(rows, torch.Tensor):
            assert changed[key].shape == rows.shape and changed[key].dtype == rows.dtype, key
    assert "right" in changed["task"][0] and "left" in seen["task"][0]
    sample = {key: rows[0] for key, rows in seen.items()}
    flipped = as_tensors(mirror(as_tv_tensors(sample)))
    for key in sample:
        if key.startswith(("observation.images", "observation.depth", "observation.segmentation")):
            assert torch.equal(flipped[key], sample[key].flip(-1)), key
    with pytest.raises(CourseError, match="'observation.lidar' has no known mirror image"):
        mirror({"observation.lidar": batch["observation.lidar"][0]})


def test_sensors_are_recorded_as_the_environment_reads_them_and_described(rich):
    assert verify(rich) == (2, [])
    metadata, episode = read_metadata(rich), read_episode(episode_folder(rich, 1))
    env = TabletopEnv("push_left", action_mode="waypoint", cameras=(), sensors=tuple(SENSORS))
    observation, _ = env.reset(seed=episode.metadata["seed"])
    for row, action in enumerate(episode.steps["action"]):
        for name in SENSORS:
            assert np.array_equal(episode.steps[name][row], observation[name]), name
        observation, *_ = env.step(action)
    env.close()
    assert metadata["sensors"] == list(SENSORS)
    for name in SENSORS:
        feature = metadata["features"][name]
        assert np.shape(feature["names"]) == np.shape(feature["units"]) == tuple(feature["shape"])
        assert len(set(np.ravel(feature["names"]))) == np.size(feature["names"])
        assert len(metadata["statistics"][name]["mean"]) == np.size(feature["names"])


@pytest.mark.parametrize("form", ["lerobot-v3.0", "lerobot-v2.1", "droid"])
def test_sensors_come_back_from_other_formats(rich, tmp_path, form):
    export_dataset(rich, tmp_path / "out", form)
    import_dataset(tmp_path / "out", tmp_path / "back", form)
    for before, after in zip(episode_folders(rich), episode_folders(tmp_path / "back"), strict=True):
        steps = read_episode(after).steps
        assert all(np.array_equal(steps[name], read_episode(before).steps[name]) for name in SENSORS)
    assert read_metadata(tmp_path / "back")["features"] == read_metadata(rich)["features"]


shares = st.floats(0, 0.45)


@settings(max_examples=40, deadline=None)
@given(
    validation=shares, test=shares, seed=st.integers(0, 1000), every_step=st.booleans(), color=st.none() | st.just(1)
)
def test_no_episode_is_in_two_parts_and_none_is_lost(noise, validation, test, seed, every_step, color):
    dataset = WindowDataset(noise, every_step=every_step)
    owner = np.repeat(np.arange(30), [e["length"] if every_step else 1 for e in dataset.episodes])
    held_out = None if color is None else lambda e: COLORS[color] in e["instruction"]
    test = test if color is None else 0.0
    others = [i for i, e in enumerate(dataset.episodes) if color is None or not held_out(e)]
    sizes = {"validation": round(validation * len(others)), "test": 30 - len(others) if color else round(test * 30)}
    if (validation and not sizes["validation"]) or (test and not sizes["test"]):
        with pytest.raises(CourseError, match="gets none of the 30 episodes"):
            dataset.split(validation, seed, test, held_out)
        return
    parts = dataset.split(validation, seed, test, held_out)
    assert parts == dataset.split(validation, seed, test, held_out)
    assert sorted(sum(parts.values(), [])) == list(range(len(dataset)))
    of = {part: set(owner[indices]) for part, indices in parts.items()}
    assert sum(len(members) for members in of.values()) == 30
    assert {part: len(of[part]) for part in sizes} == sizes
    if color is not None:
        assert of["test"] == set(range(30)) - set(others)


def test_what_is_held_out_is_decided_by_everything_that_is_known_of_an_episode(noise):
    dataset = WindowDataset(noise)
    seen = []
    parts = dataset.split(0.2, seed=0, held_out=lambda e: seen.append(e) or e["seed"] < 8)
    assert [e["seed"] for e in seen] == [i for i in range(40) if i % 4 != 3]
    assert seen[0].keys() >= {"task", "robot", "seed", "success", "instruction"} and seen == list(dataset.episodes)
    assert parts["test"] == [0, 1, 2, 3, 4, 5]
    assert dataset.split(0.2, seed=0) != dataset.split(0.2, seed=1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"validation": 0.6, "test": 0.4}, "validation=0.6 and test=0.4 are not shares"),
        ({"validation": -0.1}, "validation=-0.1"),
        ({"validation": float("nan")}, "validation=nan"),
        ({"validation": 0.1, "test": 0.1, "held_out": lambda e: True}, "test=0.1 beside held_out"),
        ({"validation": 0.0, "held_out": lambda e: True}, "the train part gets none"),
        ({"validation": 0.1, "held_out": lambda e: False}, "the test part gets none"),
        ({"validation": 0.01}, "the validation part gets none"),
    ],
)
def test_a_split_that_cannot_be_made_is_refused(noise, wrong, message):
    with pytest.raises(CourseError, match=message) as caught:
        WindowDataset(noise).split(seed=0, **wrong)
    assert "\n" not in str(caught.value)


def test_a_data_set_of_ten_times_the_episodes_is_held_in_nearly_the_same_memory(tmp_path):
    held = []
    for count in (20, 200):
        root = make_dataset(tmp_path / str(count), count)
        WindowDataset(root)  # builds the cache
        tracemalloc.start()
        dataset = WindowDataset(root, every_step=True)
        held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert len(dataset.episodes) == count * 3 // 4
    assert held[1] - held[0] < 180 * 150  # bytes; 66 for each episode were measured, and 355 with an index of dicts


def test_a_cache_that_cannot_be_written_is_named(noise, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(noise, root, ignore=shutil.ignore_patterns("cache"))
    (root / "cache").write_text("a file where the folder should be")
    with pytest.raises(CourseError, match="set: the cache for training cannot be written: File exists; "):
        WindowDataset(root)


def test_an_old_cache_that_cannot_be_deleted_does_no_harm(noise, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(noise, root)
    (root / "cache" / "old").mkdir(exist_ok=True, parents=True)
    with mock.patch.object(shutil, "rmtree"):  # Windows deletes no file that is open
        shutil.copytree(episode_folder(root, 0), episode_folder(root, 40))
        assert len(WindowDataset(root)) == 31
