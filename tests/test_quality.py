"""Figures of demonstrations against theory, known recordings, and independent implementations."""

import json
import re
import shutil
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import median_abs_deviation

from vla_course.collection.inspect_report import inspect
from vla_course.collection.recorder import Recorder, features
from vla_course.collection.replay import replay
from vla_course.data import quality, segments
from vla_course.data.description import write_metadata
from vla_course.data.episodes import Episode, read_episode, read_steps, write_episode
from vla_course.data.store import close_store, episode_folder, episode_folders, open_store, read_metadata, verify
from vla_course.errors import CourseError
from vla_course.sim.env import TabletopEnv
from vla_course.sim.experts import ClosedLoopExpert

flags = st.integers(1, 60).flatmap(lambda n: arrays(bool, n))


def minimum_jerk(rows: int) -> np.ndarray:
    """Flash and Hogan 1985: the smoothest movement by one metre, (rows, 3)."""
    t = np.linspace(0, 1, rows)
    return np.outer(10 * t**3 - 15 * t**4 + 6 * t**5, [0.6, 0.0, 0.8])


def recording(parts: list[tuple[float, bool]], rng: np.random.Generator, hz: int = 20) -> dict[str, np.ndarray]:
    """A recording of (seconds, moves) parts, with the noise of a good position sensor; no command is known of it."""
    moves = np.concatenate([[moves] * round(seconds * hz) for seconds, moves in parts])
    state = np.zeros((len(moves), 7))
    state[1:, 0] = np.cumsum(moves[:-1] * 0.1 / hz)
    state[:, :3] += rng.normal(scale=5e-5, size=(len(moves), 3))
    state[:, 6] = 1.0
    return {"action": np.eye(7)[np.full(len(moves), 6)], "state": state, "timestamp": np.arange(len(moves)) / hz}


# ---------------------------------------------------------------- segments


@given(active=flags, data=st.data())
def test_trimming_keeps_every_active_row_and_leaves_no_pause(active, data):
    seconds = data.draw(arrays(float, len(active), elements=st.floats(0.05, 1.5)))
    keep = segments.without_idle(active, seconds, 0.5)
    assert keep[active].all()
    assert segments.pauses(active[keep], seconds[keep], 0.5) == []
    for idle, run in groupby(range(len(active)), key=lambda i: not active[i]):
        rows = list(run)
        if idle:  # dropped whole or not at all, by its duration
            assert set(keep[rows]) == {bool(sum(seconds[rows]) < 0.5)} or abs(sum(seconds[rows]) - 0.5) < 1e-5
    total = sum(segments.idle_seconds(active, seconds, 0.5).values())
    assert total == pytest.approx(seconds[~keep].sum())


@given(active=flags)
def test_segments_and_pauses_share_the_rows_among_them(active):
    seconds = np.full(len(active), 0.1)
    parts = segments.motion_segments(active, seconds, 0.3) + segments.pauses(active, seconds, 0.3)
    assert sorted(row for part in parts for row in part) == list(range(len(active)))


@settings(max_examples=20)
@given(
    lengths=st.lists(st.tuples(st.floats(0.4, 3), st.floats(1.2, 3)), min_size=1, max_size=4), seed=st.integers(0, 99)
)
def test_segmentation_finds_the_demonstrations_of_a_long_recording(lengths, seed):
    parts = [part for moving, waiting in lengths for part in ((waiting, False), (moving, True))] + [(1.5, False)]
    steps = recording(parts, np.random.default_rng(seed))
    active = segments.active_rows(steps, "unknown")
    edges = np.cumsum([round(seconds * 20) for seconds, _ in parts])
    expected = [range(int(edges[i]), int(edges[i + 1])) for i in range(0, len(edges) - 1, 2)]
    found = segments.motion_segments(active, segments.durations(steps["timestamp"]))
    assert len(found) == len(expected)
    for part, known in zip(found, expected, strict=True):
        assert abs(part.start - known.start) <= 4 and abs(part.stop - known.stop) <= 4  # rows: 0.2 s


def test_a_short_hesitation_does_not_cut_a_demonstration():
    steps = recording([(1.0, True), (0.6, False), (1.0, True)], np.random.default_rng(0))
    seconds, active = segments.durations(steps["timestamp"]), segments.active_rows(steps, "unknown")
    assert len(segments.motion_segments(active, seconds)) == 1
    assert segments.idle_seconds(active, seconds) == pytest.approx({"start": 0, "inside": 0.6, "end": 0}, abs=0.06)


@given(gripper=arrays(np.float32, st.integers(1, 30), elements=st.sampled_from([-1.0, 0.0, 0.3, 1.0])))
def test_gripper_segments_are_the_runs_of_one_command(gripper):
    runs = [list(rows) for _, rows in groupby(range(len(gripper)), key=lambda i: bool(gripper[i] > 0))]
    assert [list(part) for part in segments.gripper_segments(gripper)] == runs


@pytest.mark.parametrize("mode", ["ee_delta", "waypoint", "unknown"])
def test_rows_in_which_the_gripper_works_are_never_idle(mode):
    rows = 30
    state = np.tile([0.5, 0, 0.1, 0, 0, 0, 1.0], (rows, 1))  # the sensor of this gripper sees nothing
    action = np.zeros((rows, 7)) if mode == "ee_delta" else state.copy()
    action[:, 6] = np.where(np.arange(rows) < 12, 1.0, -1.0)
    steps = {"action": action, "state": state, "timestamp": np.arange(rows) / 10}
    active = segments.active_rows(steps, mode)
    assert np.flatnonzero(active).tolist() == [12, 13, 14, 15]  # 0.4 s
    steps["state"][20:24, 6] = [0.9, 0.8, 0.7, 0.7]  # opening that is measured
    assert set(range(19, 24)) - {22} <= set(np.flatnonzero(segments.active_rows(steps, mode)))


def test_what_is_commanded_or_rewarded_is_not_idle():
    rows = 10
    still = {"state": np.tile([0.5, 0, 0.1, 0, 0, 0, 1.0], (rows, 1)), "timestamp": np.arange(rows) / 10}
    for column, value in ((0, 0.1), (5, -0.1)):
        action = np.tile([0, 0, 0, 0, 0, 0, 1.0], (rows, 1))
        action[4, column] = value
        pushes = segments.active_rows({"action": action, **still}, "ee_delta")
        assert np.flatnonzero(pushes).tolist() == [4]  # against something that does not yield
        executed = segments.active_rows(
            {"action": 0 * action + [0, 0, 0, 0, 0, 0, 1], "executed": action, **still}, "ee_delta"
        )
        assert np.flatnonzero(executed).tolist() == [4]
    rewarded = segments.active_rows({"action": 0 * action + 1, **still, "reward": np.eye(rows)[9]}, "unknown")
    assert np.flatnonzero(rewarded).tolist() == [9]
    turned = still["state"].copy()
    turned[:5, 5], turned[5:, 5] = np.pi - 1e-4, 1e-4 - np.pi  # the same direction
    assert not segments.active_rows({"action": 0 * action + 1, **still, "state": turned}, "unknown").any()


def test_a_clock_that_runs_backward_is_refused():
    with pytest.raises(CourseError, match=r"timestamp 0.1 s of row 2 is not after.*clock"):
        segments.durations(np.array([0.0, 0.2, 0.1, 0.4]))


def test_taken_rows_bring_everything_along_and_time_has_no_gap():
    steps = {"action": np.arange(35.0).reshape(5, 7), "timestamp": np.array([1, 1.5, 2, 4, 4.5], np.float32)}
    pictures = [np.full((2, 2, 3), i, np.uint8) for i in range(5)]
    episode = Episode({"task": "pick"}, "take it", steps, {"front": pictures})
    taken = segments.take_rows(episode, np.array([True, False, True, False, True]))
    assert taken.steps["action"][:, 0].tolist() == [0, 14, 28] and taken.steps["timestamp"].tolist() == [0, 0.5, 2.5]
    assert [p[0, 0, 0] for p in taken.frames["front"]] == [0, 2, 4] and taken.metadata["rows_of_recording"] == 5
    assert segments.take_rows(episode, range(3, 5)).steps["timestamp"].tolist() == [0, 0.5]
    with pytest.raises(CourseError, match="none of 5 rows is left"):
        segments.take_rows(episode, np.zeros(5, bool))


# ---------------------------------------------------------------- figures


def test_minimum_jerk_has_the_smoothness_of_theory():
    # integral of jerk^2 = 720 L^2 / D^5, largest speed 1.875 L / D (Flash and Hogan 1985)
    theory = -np.log(720 / 1.875**2)
    assert theory == pytest.approx(-5.322, abs=1e-3)
    assert quality.log_dimensionless_jerk(minimum_jerk(4000), 1 / 3999) == pytest.approx(theory, abs=0.005)
    assert quality.log_dimensionless_jerk(minimum_jerk(21), 0.1) == pytest.approx(theory, abs=0.6)  # as recorded, 10 Hz


@given(size=st.floats(0.05, 5), period=st.floats(0.01, 1))
def test_smoothness_does_not_depend_on_size_or_duration_but_on_shaking(size, period):
    path = minimum_jerk(60)
    smooth = quality.log_dimensionless_jerk(path, 0.05)
    assert quality.log_dimensionless_jerk(size * path, period) == pytest.approx(smooth, abs=1e-6)
    shaking = path + 0.002 * np.random.default_rng(0).normal(size=path.shape)
    assert quality.log_dimensionless_jerk(size * shaking, period) < smooth - 1


def test_smoothness_of_what_does_not_move_is_unknown():
    assert quality.log_dimensionless_jerk(np.ones((50, 3)), 0.1) is None
    assert quality.log_dimensionless_jerk(minimum_jerk(3), 0.1) is None


def test_path_length_and_ratio_of_known_curves():
    angle = np.linspace(0, np.pi, 2001)
    half_circle = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    assert quality.path_length(half_circle) == pytest.approx(np.pi, abs=1e-5)
    assert quality.path_ratio(half_circle) == pytest.approx(np.pi / 2, abs=1e-5)
    assert quality.path_ratio(half_circle, [1000]) == pytest.approx(np.pi / 2 / np.sqrt(2), abs=1e-5)
    there_and_back = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0.0]])
    assert quality.path_ratio(there_and_back) is None and quality.path_ratio(there_and_back, [1]) == 1


@given(actions=arrays(float, st.tuples(st.integers(1, 50), st.just(2)), elements=st.floats(-1, 1)))
def test_coverage_counts_what_numpy_histograms_count(actions):
    low, high = np.array([-1.0, -2.0]), np.array([1.0, 2.0])
    found = quality.action_coverage(actions, low, high, bins=8)
    for d in range(2):
        counts, edges = np.histogram(actions[:, d], bins=8, range=(low[d], high[d]))
        away = np.abs(actions[:, d, None] - edges).min()
        assert away < 1e-9 or found.visited[d] == (counts > 0).mean()  # on an edge, rounding decides
    assert found.saturated[0] == (np.abs(actions[:, 0]) >= 0.999).mean() and found.saturated[1] == 0


def test_balance_is_relative_to_the_mean_task():
    assert quality.task_balance(["b", "a", "a", "a"]) == {"a": 1.5, "b": 0.5}


@given(seed=st.integers(0, 10_000))
def test_duplicates_are_found_and_near_misses_are_not(seed):
    rng = np.random.default_rng(seed)
    knots = rng.uniform([0.4, -0.2, 0.02, 0, 0, 0, 1], [0.6, 0.2, 0.3, 0, 0, 0, 1], size=(6, 7))
    rows = np.linspace(0, 5, 51)
    original = np.stack([np.interp(rows, range(6), column) for column in knots.T], axis=1)
    original[30:, 6] = -1
    slower = np.repeat(original, 2, axis=0)  # it waits after each step
    off = original + [0.003, 0, 0, 0, 0, 0, 0]
    opened = original.copy()
    opened[45:, 6] = 1
    other = original[::-1] * [1, 1, 1, 1, 1, 1, -1]
    say = ["take it", "take it", "take it", "take it", "take it", "take the cup", "take it"]
    same = quality.find_duplicates(say, [original, off, opened, slower, other, original, off])
    assert same == [(3, 0), (6, 1)]


@given(values=st.lists(st.floats(-100, 100), min_size=2, max_size=30))
def test_outliers_are_modified_z_scores(values):
    spread = median_abs_deviation(values, scale="normal")
    found = quality.outliers(values)
    expected = (np.array(values) - np.median(values)) / spread if spread > 1e-6 else found
    assert np.allclose(found, expected, rtol=1e-3)
    assert (quality.outliers([5.0] * 9 + [900.0]) == 0).all()


def test_visibility_of_the_target():
    assert quality.in_picture(np.array([[0.5, 0.5], [1.01, 0.5], [0.5, -0.01], [1, 0]])).tolist() == [1, 0, 0, 1]
    pictures = np.zeros((3, 4, 4), int)
    pictures[0, :2], pictures[1, 0, :2] = 7, 7
    assert quality.visible_share(pictures, 7).tolist() == [1, 0.25, 0]
    assert quality.visible_share(pictures, 8).tolist() == [0, 0, 0]


# ---------------------------------------------------------------- a data set


@pytest.fixture(scope="module")
def taught(tmp_path_factory) -> Path:
    """Four episodes at 10 Hz; 0 waits 1 s before and 0.8 s between, 2 is a copy of 1, 3 is a failure with odd words."""
    root = tmp_path_factory.mktemp("taught") / "set"
    env = TabletopEnv("pick", action_mode="ee_delta", cameras=("front",), modalities=("rgb", "segmentation"))
    world = {"action_mode": "ee_delta", "cameras": ["front"], "modalities": ["rgb", "segmentation"], "image_size": 64}
    made = features(env)
    open_store(root, {"task": "pick", "robot": "panda", "fps": 10, "features": made, **world}, {"pick": ["take it"]})
    for index, waits in ((0, {0: 10, 12: 8}), (1, {}), (3, {})):
        recorder, expert, over, row = Recorder(env), ClosedLoopExpert(env), False, 0
        recorder.reset(40 + index)
        while not over and not (index == 3 and row == 9):
            for _ in range(waits.get(row, 0)):
                recorder.step(np.array([0, 0, 0, 0, 0, 0, env.commanded_gripper], np.float32))
            over, row = recorder.step(expert.act()), row + 1
        episode = recorder.episode()
        if index == 3:
            episode.instruction = "take <script>alert(1)</script> & “go”"
        write_episode(episode, episode_folder(root, index))
    shutil.copytree(episode_folder(root, 1), episode_folder(root, 2))
    env.close()
    close_store(root)
    return root


def test_the_inspection_names_what_is_wrong_and_the_remedy(taught, tmp_path):
    found = inspect(taught, tmp_path)
    assert json.loads((tmp_path / "inspect.json").read_text()) == json.loads(json.dumps(found))
    trim = 'trim with "vla-course inspect DIR --trim OUT"'
    # The arm may come to rest in the first two of the eight rows of waiting.
    found["advice"][1] = re.sub(r"0\.[678] s", "0.7 s", found["advice"][1])
    assert found["advice"] == [
        f"episode_0000: idle for 1.0 s at the start; {trim}",
        f"episode_0000: idle for 0.7 s inside; {trim}",
        "episode_0002: says and does the same as episode_0001; delete its folder, then run "
        '"vla-course verify DIR --repair"',
    ]
    assert found["tasks"] == {"pick": {"episodes": 4, "successes": 3, "balance": 1.0}}
    assert [e["success"] for e in found["episodes"]] == [True, True, True, False]
    assert all(e["in_picture"] == 1 and e["hidden"] < 0.5 and e["jerk"] < -5.3 for e in found["episodes"])
    assert found["coverage"][-1] == {"name": "gripper", "visited": 0.1, "saturated": 1.0}


def test_the_page_stands_alone_and_runs_nothing(taught, tmp_path):
    inspect(taught, tmp_path)
    page = (tmp_path / "inspect.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!data:)', page) and str(taught) not in page
    assert "<script" not in page and "&lt;script&gt;alert(1)" in page
    assert len(re.findall('<img src="data:image/jpeg;base64,', page)) == 8 * (4 + 1)  # ranked ones, and the failure
    assert "Failure: episode_0003" in page and "episode_0000: idle for 1.0 s at the start" in page


def test_waypoints_are_inspected_too(demonstrations, tmp_path):
    found = inspect(demonstrations, tmp_path)
    assert found["duplicates"] == [] and found["advice"] == []
    assert all(e["jerk"] is None and e["path_ratio"] > 1 and e["hidden"] is None for e in found["episodes"])
    assert "Longest way round" in (tmp_path / "inspect.html").read_text(encoding="utf-8")


def test_outliers_of_a_task_are_named(taught, tmp_path):
    root = tmp_path / "many"
    shutil.copytree(taught, root)
    shutil.rmtree(root / "episodes")
    original = read_episode(episode_folder(taught, 1))
    rng = np.random.default_rng(0)
    for i in range(10):
        state, frames = original.steps["state"].copy(), original.frames
        state[:, :3] += rng.normal(scale=0.05 if i in (5, 9) else 0.0008, size=(len(state), 3))
        steps = {**original.steps, "state": state.astype(np.float32)}
        if i == 7:
            steps["target_pixel"] = steps["target_pixel"] + 1
        if i == 3:
            ids = frames["front_segmentation"]
            frames = {**frames, "front_segmentation": [np.minimum(ids[0], 1), *ids[1:]]}  # all is table and arm
        labels = {**original.metadata, "noise": 0.1 if i == 9 else 0.0}  # 9 was shaken on purpose
        write_episode(Episode(labels, f"take it {i}", steps, frames), episode_folder(root, i))
    advice = inspect(root, tmp_path)["advice"]
    unseen = "the target cannot be seen in the first front picture; move the camera or the arm"
    assert [re.sub(r"\(.*\)", "()", line) for line in advice] == [
        f"episode_0003: {unseen}",
        "episode_0005: is less smooth than others of its task (); record it again if the hand shook",
        "episode_0005: goes a long way round (); record it again if that is not part of the task",
        f"episode_0007: {unseen}",
    ]


def test_what_holds_for_most_episodes_is_said_once(taught, tmp_path):
    root = tmp_path / "waiting"
    shutil.copytree(taught, root)
    for i in range(1, 4):
        shutil.rmtree(episode_folder(root, i))
        if i < 3:
            shutil.copytree(episode_folder(taught, 0), episode_folder(root, i))
    close_store(root)
    assert inspect(root, tmp_path)["advice"] == [
        'task pick: 3 of 3 episodes pause for half a second or more; trim with "vla-course inspect DIR --trim OUT"',
        *(
            f"episode_000{i}: says and does the same as episode_0000; delete its folder, then run "
            '"vla-course verify DIR --repair"'
            for i in (1, 2)
        ),
    ]


def test_trimming_drops_the_waiting_and_nothing_else(taught, tmp_path):
    out = tmp_path / "trimmed"
    segments.trim(taught, out, workers=1)
    before, after = (read_steps(episode_folder(root, 0)) for root in (taught, out))
    dropped = len(before["action"]) - len(after["action"])
    assert dropped in (16, 17, 18)  # the arm may come to rest in the first two rows of waiting
    assert np.allclose(after["timestamp"], np.arange(len(after["action"])) / 10, atol=1e-4)
    kept = np.r_[10 : 40 - dropped, 30 : len(before["action"])]
    assert all(np.array_equal(before[name][kept], after[name]) for name in before if name != "timestamp")
    old, new = (read_episode(episode_folder(root, 0)).frames["front"] for root in (taught, out))
    assert np.abs(np.stack(old)[kept].astype(int) - np.stack(new)).max() <= 3  # JPEG
    assert all(
        np.array_equal(read_steps(episode_folder(taught, i))["action"], read_steps(episode_folder(out, i))["action"])
        for i in (1, 2, 3)
    )
    assert verify(out) == (4, []) and read_metadata(out)["episodes"] == 4
    assert replay(out, workers=1).passed
    found, found_before = inspect(out, tmp_path), inspect(taught, tmp_path)
    assert not any("idle" in line for line in found["advice"])
    smooth, smooth_before = (f["episodes"][0]["jerk"] for f in (found, found_before))
    assert smooth == pytest.approx(smooth_before, abs=0.01)  # pauses are no movement


def test_trimming_goes_on_where_it_was_stopped_and_never_in_place(taught, tmp_path):
    out = tmp_path / "trimmed"
    segments.trim(taught, out, workers=1)
    whole = {p: p.read_bytes() for f in episode_folders(out) for p in f.rglob("*") if p.is_file()}
    shutil.rmtree(episode_folder(out, 0))
    segments.trim(taught, out, workers=1)
    assert whole == {p: p.read_bytes() for f in episode_folders(out) for p in f.rglob("*") if p.is_file()}
    with pytest.raises(CourseError, match="not trimmed in place"):
        segments.trim(taught, taught / ".." / "set")


def test_recordings_of_other_machines_are_inspected_as_far_as_they_go(taught, tmp_path):
    root = tmp_path / "foreign"
    shutil.copytree(taught, root)
    metadata = read_metadata(root)
    write_metadata(root, {**metadata, "action_mode": "unknown", "robot": "unknown"})
    found = inspect(root, tmp_path)
    assert found["coverage"] is None and all(e["hidden"] is None for e in found["episodes"])
    assert "episode_0000: idle for 1.0 s at the start" in found["advice"][0]


@pytest.mark.parametrize(
    ("column", "rows", "message"),
    [
        ("state", np.zeros((3, 8)), r"'state' has shape \(8,\), not \(7,\)"),
        ("state", None, "'state' has no rows"),
        ("timestamp", None, "'timestamp' has no rows"),
    ],
)
def test_recordings_that_say_nothing_of_motion_are_refused(column, rows, message):
    steps = {"action": np.zeros((3, 7)), "state": np.zeros((3, 7)), "timestamp": np.arange(3.0), column: rows}
    with pytest.raises(CourseError, match=message):
        segments.active_rows({name: values for name, values in steps.items() if values is not None}, "unknown")


def test_phrasings_that_cannot_be_read_are_named(demonstrations, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(demonstrations, root, ignore=shutil.ignore_patterns("cache"))
    (root / "instructions" / "pick.txt").write_bytes(b"saisis le cube dor\xe9\n")
    with pytest.raises(CourseError, match="set: instructions/pick.txt: not as expected .*vla-course verify"):
        segments.trim(root, tmp_path / "out")
