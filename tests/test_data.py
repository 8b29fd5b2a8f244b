"""What was recorded comes back, nothing complete is lost, and damage is found and named."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vla_course.collection.scripted import collect, record_closed_loop
from vla_course.data.episodes import Episode, read_episode, write_episode
from vla_course.data.store import episode_folders, read_metadata, statistics, verify
from vla_course.data.tokenizer import PAD, UNKNOWN, WordTokenizer, split_words
from vla_course.data.windows import WindowDataset
from vla_course.errors import CourseError
from vla_course.machine import PeakMemory
from vla_course.seeds import scene_seed
from vla_course.sim.env import TabletopEnv

METADATA = {"task": "pick", "seed": 1, "robot": "panda", "success": True}
floats = st.floats(-1e6, 1e6, width=32)


def content(root: Path) -> dict[str, bytes]:
    """Every file of every complete episode, by name."""
    files = sorted(p for p in (root / "episodes").glob("episode_*/**/*") if p.is_file())
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in files}


@settings(max_examples=25, deadline=None)
@given(actions=st.integers(1, 4).flatmap(lambda n: arrays(np.float32, (n, 7), elements=floats)), data=st.data())
def test_an_episode_comes_back_as_it_was(tmp_path_factory, actions, data):
    length = len(actions)
    depth = data.draw(arrays(np.float32, (length, 8, 8), elements=st.floats(0, 60, width=32)))
    bodies = data.draw(arrays(np.int32, (length, 8, 8), elements=st.integers(-1, 200)))
    colors = np.repeat(data.draw(arrays(np.uint8, (length, 1, 1, 3))), 8, axis=1).repeat(8, axis=2)
    frames = {"front": list(colors), "front_depth": list(depth), "wrist_segmentation": list(bodies)}
    folder = tmp_path_factory.mktemp("e") / "episode_0000"
    write_episode(Episode(METADATA, "pick up the red cube", {"action": actions}, frames), folder)
    back = read_episode(folder)
    assert back.metadata == METADATA and back.instruction == "pick up the red cube"
    assert np.array_equal(back.steps["action"], actions)  # exact: each decimal reads back as the same float32
    assert np.array_equal(back.frames["wrist_segmentation"], bodies)
    assert np.allclose(back.frames["front_depth"], depth, atol=0.0006)  # stored in millimetres
    assert np.abs(np.stack(back.frames["front"]).astype(int) - colors).max() <= 3  # JPEG


def test_the_number_of_workers_does_not_change_what_is_recorded(tmp_path):
    for workers in (1, 2):
        collect(tmp_path / str(workers), "push_left", episodes=4, seed=9, workers=workers)
    assert content(tmp_path / "1") == content(tmp_path / "2")
    assert read_metadata(tmp_path / "1") == read_metadata(tmp_path / "2")


def test_a_killed_collection_goes_on_and_ends_the_same(tmp_path):
    program = Path(sys.executable).with_name("vla-course")
    command = [program, "collect", tmp_path / "killed", "--episodes", "30"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
    while len(episode_folders(tmp_path / "killed")) < 3:
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = content(tmp_path / "killed")
    sound, damaged = verify(tmp_path / "killed")
    assert 3 <= sound < 30 and not damaged
    with pytest.raises(CourseError, match="not finished"):
        WindowDataset(tmp_path / "killed")
    collect(tmp_path / "killed", episodes=30)
    collect(tmp_path / "whole", episodes=30)
    assert content(tmp_path / "killed") == content(tmp_path / "whole")
    assert kept.items() <= content(tmp_path / "killed").items()


def damage_actions(folder: Path) -> None:
    steps = json.loads((folder / "actions.json").read_text())
    steps["action"].pop()
    (folder / "actions.json").write_text(json.dumps(steps))


DAMAGE = {
    "actions.json: No such file": lambda f: (f / "actions.json").unlink(),
    "actions.json has 5 rows of 'state' for 4 actions": damage_actions,
    "actions.json holds no action": lambda f: (f / "actions.json").write_text("{}"),
    "not as expected": lambda f: (f / "actions.json").write_text("[]"),
    "for 4 frames in frames/": lambda f: (f / "frames" / "frame_0002.jpg").unlink(),
    "is not a readable picture": lambda f: (f / "frames" / "frame_0002.jpg").write_bytes(b"\xff\xd8\xff"),
    "metadata.json lacks": lambda f: (f / "metadata.json").write_text("{}"),
    "instruction.txt: No such file": lambda f: (f / "instruction.txt").unlink(),
    "a number that is not finite": lambda f: (f / "actions.json").write_text('{"action": [[NaN]]}'),
}


@pytest.mark.parametrize("message", DAMAGE)
def test_damage_is_named_and_repaired_and_the_sound_episodes_stay(demonstrations, tmp_path, message):
    root = tmp_path / "data"
    shutil.copytree(demonstrations, root, ignore=shutil.ignore_patterns("cache"))  # which still has the sound pictures
    before = content(root)
    DAMAGE[message](root / "episodes" / "episode_0007")
    sound, damaged = verify(root)
    assert sound == 23 and len(damaged) == 1
    assert damaged[0].startswith("episode_0007: ") and message in damaged[0]
    with pytest.raises(CourseError, match="episode_0007"):
        WindowDataset(root)
    verify(root, repair=True)
    assert verify(root) == (23, [])
    collect(root, "pick", episodes=24, seed=3, workers=1)
    assert content(root) == before


def test_settings_are_not_mixed_in_one_data_set(demonstrations):
    with pytest.raises(CourseError, match="image_size = 64, not 32"):
        collect(demonstrations, "pick", episodes=24, seed=3, image_size=32)


def test_a_changed_episode_is_seen_by_the_next_training(demonstrations, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(demonstrations, root)
    assert WindowDataset(root)[0]["task"] != "fly"
    folder = root / "episodes" / "episode_0000"
    episode = read_episode(folder)
    episode.instruction = "fly"
    shutil.rmtree(folder)
    write_episode(episode, folder)
    assert WindowDataset(root)[0]["task"] == "fly"


@given(arrays(np.float32, st.tuples(st.integers(1, 30), st.integers(1, 4)), elements=st.floats(-100, 100, width=32)))
def test_statistics_are_those_of_numpy(rows):
    measured = statistics(rows)
    assert np.allclose(measured["mean"], rows.mean(0, dtype=np.float64), atol=1e-5)
    assert np.allclose(measured["std"], rows.std(0, dtype=np.float64), atol=1e-5)
    assert np.allclose(measured["q99"], np.quantile(rows.astype(np.float64), 0.99, axis=0), atol=1e-5)


words = st.lists(st.text("abcdefghij", min_size=1, max_size=5), min_size=1, max_size=8)


@given(words, words)
def test_known_sentences_come_back_and_unknown_words_are_not_padding(known, other):
    tokenizer = WordTokenizer.from_sentences([" ".join(known)])
    assert tokenizer.decode(tokenizer.encode(" ".join(known))) == " ".join(known)
    sentence = " ".join([known[0], *other])
    tokens = tokenizer.encode(sentence)
    assert PAD not in tokens and len(tokens) == len(split_words(sentence))
    assert [token == UNKNOWN for token in tokens] == [word not in known for word in [known[0], *other]]
    batch = tokenizer.batch([sentence, known[0]])
    assert batch.shape == (2, len(tokens)) and (batch[1, 1:] == PAD).all()


@given(st.integers(0, 50), st.integers(0, 999_999), st.integers(0, 50), st.integers(0, 999_999))
def test_no_training_scene_is_a_test_scene(seed, index, other_seed, other_index):
    assert scene_seed(seed, index) != scene_seed(other_seed, other_index, test=True)
    if (seed, index) != (other_seed, other_index):
        assert scene_seed(seed, index) != scene_seed(other_seed, other_index)


def test_even_a_short_piece_of_work_needs_memory():
    with PeakMemory() as memory:
        pass
    assert memory.megabytes > 50


def test_an_episode_in_which_the_expert_had_to_begin_again_is_kept(tmp_path):
    episode = record_closed_loop(TabletopEnv("place", cameras=()), scene_seed(1, 169), noise=0.12)
    write_episode(episode, tmp_path / "episode_0000")
    kept = read_episode(tmp_path / "episode_0000").metadata
    assert kept["recoveries"] == episode.metadata["recoveries"] == 2 and kept["success"]
