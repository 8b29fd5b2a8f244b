"""What the lessons build from scratch is what the library holds: their definitions, taken out of the notebooks."""

import json
import math
import re
from collections import Counter
from itertools import groupby, product
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from scipy.spatial.transform import Rotation
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from vla_course.collection.rosbag_topics import Stream
from vla_course.collection.scripted import record_closed_loop
from vla_course.data import quality, segments
from vla_course.data.action_tokens import quantile_bins, uniform_bins
from vla_course.data.augmentation import as_tensors, as_tv_tensors
from vla_course.data.mirror import mirror
from vla_course.data.normalization import normalizer
from vla_course.data.store import statistics
from vla_course.data.tokenizer import WordTokenizer
from vla_course.data.windows import WindowDataset
from vla_course.evaluation.statistics import SuccessRate
from vla_course.models.attention import CrossAttention
from vla_course.models.decoders import ACTDecoder, AutoregressiveDecoder, FlowDecoder, WaypointDecoder, diffusion
from vla_course.models.decoders.flow import euler, noisy_times
from vla_course.models.decoders.tokens import Bins
from vla_course.models.execution import RecedingHorizon, TemporalEnsemble
from vla_course.models.eye import local_mean_position
from vla_course.models.film import FiLM, FiLMConvEncoder
from vla_course.models.fusion import ConcatFusion, CrossAttentionFusion, FiLMFusion
from vla_course.models.joint import JointFusion, block_causal_mask
from vla_course.models.language import BagOfWords, GRUEncoder, Words, average, hide_words
from vla_course.models.observation import CameraTokens
from vla_course.models.policy import grounding_loss
from vla_course.models.positions import grid_centers, sine_positions, sine_positions_2d
from vla_course.models.text_transformer import TransformerTextEncoder
from vla_course.models.transformer import Transformer
from vla_course.models.vision import ConvEncoder
from vla_course.models.vit import ViTEncoder
from vla_course.models.word_cache import WordCache
from vla_course.sim import cameras, low_poly
from vla_course.sim.env import TabletopEnv
from vla_course.sim.experts import ClosedLoopExpert
from vla_course.sim.language import APART, describe
from vla_course.sim.tasks import TASKS

ROOT = Path(__file__).parent.parent


def definitions(week: str, **given_names: object) -> dict:
    """What the cells of a lesson define that are marked "from-scratch"."""
    names: dict = {"torch": torch, "np": np, "math": math, **given_names}
    notebook = nbformat.read(ROOT / "notebooks" / f"{week}.ipynb", as_version=4)
    for cell in notebook.cells:
        if "from-scratch" in cell.metadata.get("tags", []):
            exec(cell.source, names)
    return names


definitions_of_week_1 = definitions("week01_robot_world", Rotation=Rotation, ElementTree=ElementTree, low_poly=low_poly)


@pytest.mark.parametrize("name", ["panda", "kuka", "xarm6"])
def test_the_kinematics_built_in_week_1_are_the_simulators(name):
    built, rng = definitions_of_week_1, np.random.default_rng(0)
    env = TabletopEnv("pick", robot=name, action_mode="joint_position", cameras=())
    env.reset(seed=0)
    robot = env.world.robot
    frames, home = built["joint_frames"](robot), np.array(robot.model.home)
    for _ in range(3):
        env.step(np.append(home + rng.uniform(-0.3, 0.3, len(home)), 1))
        here, facing = built["forward"](frames, robot.joint_positions())
        place, quaternion = robot.tool_pose()
        assert np.allclose(here + robot.model.base, place, atol=1e-5)
        assert (facing * Rotation.from_quat(quaternion).inv()).magnitude() < 1e-5
    goal, yaw = np.array([0.50, -0.10, 0.10]), 0.3
    down = Rotation.from_euler("z", yaw) * Rotation.from_euler("x", np.pi)
    error = built["pose_error"](frames, goal - robot.model.base, down)
    path = built["inverse"](error, home)
    assert len(path) <= 12 and np.linalg.norm(error(path[-1])) <= 1e-4
    env.reset(seed=0)
    assert np.linalg.norm(error(robot.inverse_kinematics(goal, np.array([0, 0, yaw])))[:3]) < 0.003
    env.close()


@settings(max_examples=30, deadline=None)
@given(st.tuples(st.floats(-3, 3), st.floats(-3, 3)))
def test_the_jacobian_built_in_week_1_is_that_of_the_planar_arm(angles):
    built, (a, b) = definitions_of_week_1, angles
    _, elbow, (x, y) = built["two_links"](np.array([a, b]))
    exact = [[-y, -(y - elbow[1])], [x, x - elbow[0]]]
    assert np.allclose(built["jacobian"](lambda q: built["two_links"](q)[2], np.array([a, b])), exact, atol=1e-8)
    assert math.hypot(x, y) == pytest.approx(math.sqrt(0.3**2 + 0.25**2 + 2 * 0.3 * 0.25 * math.cos(b)))


POINT = st.tuples(st.floats(0.2, 0.8), st.floats(-0.4, 0.4), st.floats(0, 0.4))


@given(st.sampled_from([cameras.FRONT, cameras.OVERHEAD, cameras.SPECTATOR]), POINT, st.floats(0.05, 2.4))
def test_the_pinhole_built_in_week_1_is_the_librarys_and_unproject_its_inverse(view, point, metres):
    built = definitions_of_week_1
    assert np.allclose(built["pinhole"](view, np.array(point)), view.project(np.array(point)), atol=1e-4)
    cloud = built["unproject"](view, np.full((8, 8), metres))
    u, v = np.moveaxis(built["pinhole"](view, cloud), -1, 0)
    assert np.allclose(u * 8 - 0.5, np.arange(8)) and np.allclose(v * 8 - 0.5, np.arange(8)[:, None])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["pick", "place", "stack", "sort", "push_to"]))
def test_the_words_built_in_week_1_are_the_librarys(seed, task):
    things = TASKS[task].scene(np.random.default_rng(seed)).objects
    for i in range(len(things)):
        assert definitions_of_week_1["by_color"](things, i) == describe(things, i, "color")
        assert definitions_of_week_1["left_of"](things, i, APART) == describe(things, i, "left")


definitions_of_week_2 = definitions("week02_demonstrations", groupby=groupby, ClosedLoopExpert=ClosedLoopExpert)


@pytest.mark.parametrize("task", ["pick", "touch"])
def test_the_recorders_built_in_week_2_are_the_librarys(task):
    built, env = definitions_of_week_2, TabletopEnv(task, cameras=("front",))
    expected, demonstrate = record_closed_loop(env, seed=3), built["demonstrate"]
    assert all(np.array_equal(demonstrate(env, 3, 0.0).steps[name], rows) for name, rows in expected.steps.items())
    pairs = built["record_pairs"](env, 3, expected.steps["action"])
    assert np.array_equal(pairs["front"], expected.frames["front"])
    assert np.array_equal(pairs["state"], expected.steps["state"])
    noisy = demonstrate(env, 3, 0.1).steps
    assert np.array_equal(noisy["action"][0], expected.steps["action"][0])  # the label is what the expert wants
    assert not np.array_equal(noisy["executed"][0], noisy["action"][0])
    env.close()


PATH = arrays(np.float64, st.tuples(st.integers(4, 20), st.just(3)), elements=st.floats(-0.5, 0.5, width=32))


@settings(deadline=None)
@given(PATH, PATH, st.floats(0.05, 0.5))
def test_the_measures_built_in_week_2_are_the_librarys(one, other, period):
    built = definitions_of_week_2
    assert built["path_length"](one) == pytest.approx(quality.path_length(one))
    if quality.path_length(one) > 0.01:
        assert built["smoothness"](one, period) == pytest.approx(quality.log_dimensionless_jerk(one, period))
    for pair in ((one, other), (one, one + 0.0001), (one, np.repeat(one, 2, axis=0))):
        trajectories = [np.column_stack([path, np.ones((len(path), 4))]) for path in pair]
        assert built["same_way"](*pair) == bool(quality.find_duplicates(["", ""], trajectories))


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.25, 0.7]))), st.sampled_from([0.1, 0.5, 1.0]))
def test_the_pieces_cut_in_week_2_are_the_librarys(rows, pause):
    active, seconds = np.array([a for a, _ in rows], bool), np.array([s for _, s in rows])
    pieces = [list(piece) for piece in segments.motion_segments(active, seconds, pause)]
    assert definitions_of_week_2["cut"](active, seconds, pause) == pieces


@given(st.lists(st.integers(-999, 998), min_size=1), st.lists(st.sampled_from("abc"), min_size=1))
def test_coverage_and_balance_built_in_week_2_are_the_librarys(thousandths, names):
    actions = np.array(thousandths)[:, None] / 1000 + 0.0005  # never at the border of a bin
    expected = quality.action_coverage(actions, -np.ones(1), np.ones(1)).visited
    assert np.allclose(definitions_of_week_2["coverage"](actions), expected)
    assert definitions_of_week_2["balance"](names) == pytest.approx(quality.task_balance(names))


@given(arrays(np.int32, (5, 4, 4), elements=st.integers(-1, 3)), st.lists(st.integers(0, 99), min_size=1, unique=True))
def test_visibility_and_sampling_built_in_week_2_are_the_librarys(bodies, times):
    assert np.array_equal(definitions_of_week_2["visible_share"](bodies, 2), quality.visible_share(bodies, 2))
    stream = Stream("sensor_msgs/msg/Image", sorted(times), list(range(len(times))))
    for moment in range(min(times), 100, 7):
        assert definitions_of_week_2["newest"](stream.times, stream.values, moment) == stream.at(moment)


@given(st.floats(-1, 1))
def test_the_dead_zone_built_in_week_2_has_no_jump(value):
    push = definitions_of_week_2["push"]
    assert push(value) == -push(-value) and (push(value) == 0) == (abs(value) <= 0.15)
    assert abs(push(value) - push(min(1.0, value + 0.001))) < 0.0012 and push(1.0) == 1


definitions_of_week_3 = definitions("week03_datasets", json=json, re=re, Path=Path, Image=Image, Dataset=Dataset)


@pytest.mark.parametrize(("chunk", "every_step"), [(1, True), (3, True), (8, True), (5, False)])
def test_the_windows_built_in_week_3_are_the_librarys(demonstrations, chunk, every_step):
    mine = definitions_of_week_3["Windows"](demonstrations, chunk, every_step)
    library, begin = WindowDataset(demonstrations, chunk, every_step), 0
    assert len(mine) == len(library)
    for batch in DataLoader(mine, 7):
        other = library.__getitems__(list(range(begin, begin + len(batch["task"]))))
        begin += len(batch["task"])
        for key, value in batch.items():
            assert torch.equal(value, other[key]) if torch.is_tensor(value) else value == other[key]


def test_the_split_built_in_week_3_is_the_librarys(demonstrations):
    dataset = WindowDataset(demonstrations, every_step=True)
    owner = np.repeat(np.arange(len(dataset.episodes)), [known["length"] for known in dataset.episodes])
    for seed in range(3):
        parts = dataset.split(0.2, seed)
        training, validation = definitions_of_week_3["split_by_episode"](owner, 0.2, seed)
        assert parts["train"] == training.tolist() and parts["validation"] == validation.tolist()


def test_the_mirror_built_in_week_3_is_the_librarys(demonstrations):
    keys = ("observation.images.front", "observation.state", "action", "target_pixel")
    for row, sentence in enumerate(["push the cube to the left", "the ball right of the left bowl"]):
        sample = {**{key: WindowDataset(demonstrations)[row][key] for key in keys}, "task": sentence}
        other = as_tensors(mirror(as_tv_tensors(sample)))
        for key, value in definitions_of_week_3["mirrored"](sample).items():
            assert torch.allclose(value, other[key], atol=1e-6) if torch.is_tensor(value) else value == other[key]


WORDS = st.sampled_from(["pick", "up", "the", "red", "cube", "ball", "2", "Lift"])
SENTENCES = st.lists(st.lists(WORDS, min_size=1, max_size=6).map(" ".join), min_size=1, max_size=5)


@settings(max_examples=30, deadline=None)
@given(SENTENCES, SENTENCES)
def test_the_tokens_built_in_week_3_are_the_librarys(known, asked):
    built = definitions_of_week_3
    tokenizer = WordTokenizer.from_sentences(known)
    asked = [f"{sentence} {known[0]}" for sentence in asked]  # the library refuses what it cannot read at all
    assert built["vocabulary"](known) == tokenizer.words
    assert torch.equal(built["to_tokens"](asked, tokenizer.words), tokenizer.batch(asked))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.integers(1, 40))
def test_the_scales_and_bins_built_in_week_3_are_the_librarys(seed, count, bins):
    built, rng = definitions_of_week_3, np.random.default_rng(seed)
    rows = np.stack([rng.normal(0.5, 0.1, count), rng.choice([0.02, 0.1, 0.25], count), np.zeros(count)], axis=1)
    for kind in ("mean_std", "min_max", "quantiles"):
        offset, size = built[kind](rows)
        expected = normalizer(statistics(rows), kind)
        assert np.allclose(offset, expected[0], atol=1e-5) and np.allclose(built["safe"](size), expected[1], atol=1e-5)
    for edges, library in (
        (built["uniform_edges"](rows, bins), uniform_bins(rows.min(0), rows.max(0), bins)),
        (built["quantile_edges"](rows, bins), quantile_bins(rows, bins)),
    ):
        back = built["decode"](built["encode"](rows, edges), edges)
        assert np.allclose(np.abs(back - rows), np.abs(library.decode(library.encode(rows)) - rows), atol=1e-6)
        assert (np.abs(back - rows) <= library.error_bound(rows) + 1e-7).all()


definitions_of_week_8 = definitions("week08_behavior_cloning")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_the_losses_built_in_week_8_are_the_librarys(seed, batch):
    built, rng = definitions_of_week_8, torch.Generator().manual_seed(seed)
    logits, pixel = torch.randn(batch, 16, 16, generator=rng), torch.rand(batch, 2, generator=rng)
    expected = grounding_loss(logits, pixel)
    assert torch.allclose(built["grounding_loss_from_scratch"](logits, pixel), expected, atol=1e-4)
    actions, wanted = torch.randn(2, batch, 5, 7, generator=rng)
    is_pad = torch.zeros(batch, 5, dtype=torch.bool)
    is_pad[:, 3:] = True
    assert torch.allclose(built["action_loss"](actions, wanted, is_pad), (actions - wanted)[:, :3].abs().mean())


@settings(deadline=None)  # the first call imports scipy
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_built_in_week_8_is_the_librarys(counts):
    assert definitions_of_week_8["wilson"](*counts) == pytest.approx(SuccessRate(*counts).wilson_95, abs=1e-6)


definitions_of_week_4 = definitions("week04_vision_encoders", nn=nn, F=F, FRONT=cameras.FRONT, Transformer=Transformer)


def shaken(module, seed=0):
    """A module whose weights and buffers are all random, so that none is left at an identity."""
    rng = torch.Generator().manual_seed(seed)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            fresh = torch.rand(tensor.shape, generator=rng)
            tensor.copy_(0.5 + fresh if "var" in name else 0.4 * fresh - 0.2)
    return module


def with_weights_of(built, library):
    built.load_state_dict(dict(zip(built.state_dict(), library.state_dict().values(), strict=True)))
    return built.train(library.training)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 4]), st.integers(1, 3), st.integers(0, 2))
def test_the_convolutions_built_in_week_4_are_torchs(seed, size, stride, padding):
    built, rng = definitions_of_week_4, torch.Generator().manual_seed(seed)
    picture, filters = torch.randn(3, 9, 12, generator=rng), torch.randn(4, 3, size, size, generator=rng)
    expected = F.conv2d(picture, filters, stride=stride, padding=padding)
    for name in ("convolve", "convolve_fast"):
        assert torch.allclose(built[name](picture, filters, stride, padding), expected, atol=1e-4)
    assert built["output_size"](9, [(size, stride, padding)]) == expected.shape[1]


def test_the_receptive_field_measured_in_week_4_is_that_of_the_encoder():
    moved = definitions_of_week_4["receptive_field"](shaken(ConvEncoder(8)).eval(), (8, 8))
    rows = (moved.sum(1) > 0).nonzero()
    assert moved.shape == (64, 64) and rows.min() >= 8 * 4 - 7 and rows.max() <= 8 * 4 + 7


@given(st.tuples(st.floats(0.3, 0.7), st.floats(-0.3, 0.3), st.floats(0, 0.1)))
def test_on_table_of_week_4_undoes_the_projection(point):
    pixel = torch.from_numpy(cameras.FRONT.project(np.array(point)))[None]
    found = definitions_of_week_4["on_table"](pixel, torch.tensor([point[2]]))
    assert np.allclose(found[0], point[:2], atol=1e-4)


@pytest.mark.parametrize("training", [True, False])
def test_the_encoders_built_in_week_4_are_the_librarys(training):
    built, rng = definitions_of_week_4, torch.Generator().manual_seed(0)
    pictures, words = torch.rand(3, 3, 32, 48, generator=rng), torch.randn(3, 11, generator=rng)
    norm, maps = shaken(nn.BatchNorm2d(5)).train(training), torch.randn(3, 5, 4, 6, generator=rng)
    assert torch.allclose(built["batch_norm"](maps, norm), norm(maps), atol=1e-4)
    library = shaken(ConvEncoder(8)).train(training)
    assert torch.allclose(with_weights_of(built["SmallNetwork"](8), library)(pictures), library(pictures), atol=1e-4)
    library = shaken(FiLMConvEncoder(8, 11)).train(training)
    mine = with_weights_of(built["FilmedNetwork"](11, 8), library)
    assert torch.allclose(mine(pictures, words), library(pictures, words), atol=1e-4)
    library, mine = ViTEncoder(8, patch=8, layers=2), built["PatchNetwork"](8, 8, 2)
    mine.transformer.load_state_dict(library.transformer.state_dict())
    mine.embedding.weight.data, mine.embedding.bias.data = library.embedding.weight.flatten(1), library.embedding.bias
    assert torch.allclose(mine(pictures), library(pictures), atol=1e-4)


def test_film_built_in_week_4_is_the_librarys_and_starts_as_the_identity():
    maps, words = torch.randn(2, 5, 3, 4), torch.randn(2, 7)
    mine, library = definitions_of_week_4["Modulate"](7, 5), shaken(FiLM(7, 5))
    assert torch.equal(mine(maps, words), maps)
    assert torch.allclose(with_weights_of(mine, library)(maps, words), library(maps, words), atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 9), st.integers(3, 9), st.integers(0, 3))
def test_the_places_read_in_week_4_are_the_librarys(seed, height, width, radius):
    built = definitions_of_week_4
    scores = 3 * torch.randn(2, height, width, generator=torch.Generator().manual_seed(seed))
    expected = local_mean_position(scores[:, None], radius)[:, 0]
    assert torch.allclose(built["local_soft_argmax"](scores, radius), expected, atol=1e-5)
    assert torch.allclose(built["centers"](height, width), grid_centers(height, width, torch.device("cpu")))
    assert torch.allclose(built["positions"](height, width, 12), sine_positions_2d(height, width, 12))


def test_the_tokens_of_two_cameras_built_in_week_4_are_the_librarys():
    views = {"front": torch.rand(2, 3, 16, 24), "wrist": torch.rand(2, 3, 32, 32)}
    library = CameraTokens(list(views), [shaken(ConvEncoder(8)), shaken(ConvEncoder(8), 1)], width=12).eval()
    parts = library.encoders, library.to_tokens, library.camera_embedding
    assert torch.allclose(definitions_of_week_4["camera_tokens"](views, *parts), library(views).tokens, atol=1e-5)


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4))
def test_the_patches_cut_in_week_4_are_unfolds(rows, columns, size):
    pictures = torch.rand(2, 3, rows * size, columns * size)
    expected = F.unfold(pictures, size, stride=size).transpose(1, 2)
    assert torch.equal(definitions_of_week_4["patches"](pictures, size), expected)


definitions_of_week_5 = definitions("week05_language_encoders", Counter=Counter, product=product)
LETTERS = st.text("abcd", min_size=1, max_size=7)
READ = ["pick", "up", "the", "red", "blue", "cube", "ball"]
TOLD = st.lists(st.lists(st.sampled_from(READ), min_size=1, max_size=8).map(" ".join), min_size=1, max_size=5)


@settings(max_examples=40, deadline=None)
@given(st.lists(LETTERS, min_size=2, max_size=12), st.lists(LETTERS, min_size=1, max_size=5))
def test_the_pieces_cut_in_week_5_are_those_of_the_tokenizers_library(known, asked):
    built, special = definitions_of_week_5, ["[UNK]"]
    pairs = Tokenizer(models.BPE(unk_token="[UNK]"))
    pairs.pre_tokenizer = pre_tokenizers.Whitespace()
    pairs.train_from_iterator(known, trainers.BpeTrainer(vocab_size=12, special_tokens=special, show_progress=False))
    library = [pair for pair in pairs.get_vocab() if len(pair) > 1 and pair != "[UNK]"]
    merges = built["learn_merges"](Counter(known), len(library)) if library else []
    assert sorted("".join(pair) for pair in merges) == sorted(library)
    longest = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    longest.pre_tokenizer = pre_tokenizers.Whitespace()
    options = {"vocab_size": 14, "special_tokens": special, "show_progress": False}
    longest.train_from_iterator(known, trainers.WordPieceTrainer(**options))
    for word in known + asked:
        pieces = list(word)
        for pair in merges:
            pieces = built["merge"](pieces, pair)
        if set(word) <= set("".join(known)):
            assert pieces == pairs.encode(word).tokens
        assert built["wordpiece"](word, longest.get_vocab()) == longest.encode(word).tokens


@given(st.dictionaries(st.text("ab", min_size=1, max_size=3), st.floats(-9, -1), min_size=2), st.text("ab", min_size=1))
def test_the_best_cut_of_week_5_is_that_of_the_tokenizers_library(scores, word):
    scores = {"a": -12.0, "b": -13.0, **scores}
    word = word[:8]
    library = Tokenizer(models.Unigram([("?", 0.0), *scores.items()], 0, False))
    built = definitions_of_week_5["unigram"](word, scores)
    cut = library.encode(word).tokens
    assert "".join(built) == word
    assert sum(scores[p] for p in built) == pytest.approx(sum(scores[p] for p in cut))


@settings(max_examples=25, deadline=None)
@given(TOLD, st.integers(0, 2**32 - 1))
def test_the_encoders_built_in_week_5_are_the_librarys(sentences, seed):
    built, tokenizer = definitions_of_week_5, WordTokenizer(READ)
    torch.manual_seed(seed)
    tokens, mask = tokenizer.batch_with_mask(sentences)
    states = torch.randn(*tokens.shape, 16)
    assert torch.allclose(built["masked_mean"](states, mask), average(states, mask).pooled, atol=1e-6)
    encoder = BagOfWords(tokenizer, 16).eval()
    assert torch.allclose(built["bag"](encoder.embedding.weight, tokens, mask), encoder(sentences), atol=1e-6)
    encoder = GRUEncoder(tokenizer, 16).eval()
    names = {"W_i": "weight_ih_l0", "W_h": "weight_hh_l0", "b_i": "bias_ih_l0", "b_h": "bias_hh_l0"}
    states = built["gru"](encoder.embedding(tokens), {ours: getattr(encoder.gru, its) for ours, its in names.items()})
    assert torch.allclose(built["last_state"](states, mask), encoder(sentences), atol=1e-5)
    encoder = TransformerTextEncoder(tokenizer, 16).eval()
    x = encoder.embedding(tokens) + built["positions"](tokens.shape[1], 16)
    assert torch.allclose(built["positions"](30, 16), sine_positions(30, 16), atol=1e-6)
    for block in encoder.transformer.blocks:
        x = built["block"](x, block, mask)
    x = encoder.transformer.norm(x)
    assert torch.allclose(built["masked_mean"](x, mask), encoder(sentences), atol=1e-5)
    hidden = built["hide"](tokens, mask, 0.4)
    torch.manual_seed(seed + 1)
    expected = hide_words(tokenizer, tokens, mask, 0.4)
    torch.manual_seed(seed + 1)
    assert torch.equal(built["hide"](tokens, mask, 0.4), expected) and (hidden[~mask] == 0).all()


def test_attention_built_in_week_5_looks_at_words_only():
    q, k, v = torch.randn(3, 2, 4, 5, 6)  # (B, heads, L, d)
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    answers, weights = definitions_of_week_5["attend"](q, k, v, mask)
    expected = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None])
    assert torch.allclose(answers, expected, atol=1e-5)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 4, 5)) and (weights[1, :, :, 2:] == 0).all()


def test_the_cache_built_in_week_5_asks_once_and_says_the_same():
    encoder = GRUEncoder(WordTokenizer(READ), 8).eval().requires_grad_(False)
    asked = []
    encoder.register_forward_pre_hook(lambda _, given: asked.extend(given[0]))
    remember = definitions_of_week_5["Remember"](encoder)
    batches = [["pick the ball", "the cube"], ["the cube", "pick up the red cube"], ["pick the ball"]]
    for batch in batches:
        assert torch.allclose(remember(batch), WordCache(encoder)(batch), atol=1e-6)
    assert sorted(asked) == sorted({sentence for batch in batches for sentence in batch})


def test_the_best_possible_reader_of_week_5_cannot_tell_equal_sentences_apart():
    seen, wanted = [(1,), (1,), (1,), (2,)], torch.tensor([[0, 5], [0, 6], [1, 7], [3, 3]])
    assert np.allclose(definitions_of_week_5["best_possible"](seen, wanted), [3 / 4, 2 / 4])


# ---- week 6

definitions_of_week_6 = definitions("week06_fusion", nn=nn, F=F, SEED=0)


def spoken(seed, length=4):
    """Tokens of a picture, sentences of which one is padded, and a token of the state."""
    rng = torch.Generator().manual_seed(seed)
    tokens, states, pooled, extra = (torch.randn(2, *s, generator=rng) for s in ((6, 8), (length, 8), (8,), (1, 8)))
    return tokens, Words(states, torch.arange(length) < torch.tensor([[length], [1]]), pooled), extra


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 4]), st.integers(1, 6))
def test_the_attention_built_in_week_6_is_the_librarys(seed, heads, length):
    built, rng = definitions_of_week_6, torch.Generator().manual_seed(seed)
    mine, library = built["copied"](built["Looking"](8, heads), CrossAttention(8, heads))
    queries, tokens = torch.randn(2, 3, 8, generator=rng), torch.randn(2, length, 8, generator=rng)
    masks = [torch.rand(shape, generator=rng) < 0.6 for shape in ((3, length), (2, 3, length), (2, 1, length))]
    for mask in (None, *masks):
        if mask is not None:
            mask[..., 0] = True
        for one, other in zip(mine(queries, tokens, mask), library(queries, tokens, mask), strict=True):
            assert torch.allclose(one, other, atol=1e-5)
    q, k, v = torch.randn(3, 2, heads, length, 8, generator=rng)
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=masks[2][:, None])
    assert torch.allclose(built["attention"](q, k, v, masks[2][:, None])[0], expected, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_the_fusions_built_in_week_6_are_the_librarys(seed, length):
    built, (tokens, words, extra) = definitions_of_week_6, spoken(seed, length)
    pairs = {
        "concat": (built["SideBySide"](8), ConcatFusion(8)),
        "film": (built["Filmed"](8), FiLMFusion(8)),
        "cross": (built["Asking"](8, 2), CrossAttentionFusion(8, 2)),
        "by word": (built["Asking"](8, 2, by_word=True), CrossAttentionFusion(8, 2, by_word=True)),
        "joint": (built["Together"](8, 2), JointFusion(8, 2)),
    }
    for name, pair in pairs.items():
        mine, library = built["copied"](*pair)
        answer, expected = mine(tokens, words, extra), library(tokens, words, extra)
        if expected.logits is None:
            assert torch.allclose(answer, expected.summary, atol=1e-4), name
        else:
            assert torch.allclose(answer[0], expected.summary, atol=1e-4), name
            assert torch.allclose(answer[1], expected.logits, atol=1e-4), name


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=9))
def test_the_mask_built_in_week_6_is_the_librarys(tokens):
    block, readout = torch.tensor([b for b, _ in tokens]), torch.tensor([r for _, r in tokens])
    assert torch.equal(definitions_of_week_6["who_looks"](block, readout), block_causal_mask(block, readout))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.integers(2, 9), st.floats(0.02, 0.3))
def test_the_grounding_loss_built_in_week_6_is_the_librarys(seed, height, width, sigma):
    built, rng = definitions_of_week_6, torch.Generator().manual_seed(seed)
    logits, pixel = torch.randn(3, height, width, generator=rng), torch.rand(3, 2, generator=rng)
    assert torch.allclose(built["grounding"](logits, pixel, sigma), grounding_loss(logits, pixel, sigma), atol=1e-4)
    assert torch.allclose(built["bump"](pixel, height, width, sigma).sum(1), torch.ones(3))
    # the lowest loss there is: a map that is the bump
    perfect = built["bump"](pixel, height, width, sigma).clamp(min=1e-30).log().unflatten(1, (height, width))
    assert built["grounding"](perfect, pixel, sigma) <= built["grounding"](logits, pixel, sigma)


def test_the_cells_that_week_6_counts_are_those_that_share_the_attention():
    equal = torch.full((7,), -1e9)
    equal[:3] = 2.0
    assert definitions_of_week_6["cells_looked_at"](equal) == pytest.approx(3)
    assert definitions_of_week_6["cells_looked_at"](torch.zeros(5)) == pytest.approx(5)


# ---- week 7

definitions_of_week_7 = definitions("week07_action_decoders", nn=nn, F=F)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def samples_of_week_7(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Context (5, 6), actions (5, 4, 3), and which rows count: 4, 3, 2, 1 and 4 of them."""
    keep = torch.arange(4) < torch.tensor([4, 3, 2, 1, 4]).unsqueeze(1)
    rng = seeded(seed)
    return torch.randn(5, 6, generator=rng), torch.randn(5, 4, 3, generator=rng), keep


def with_bins(decoder):
    decoder.bins.set(uniform_bins(np.full(3, -3.0), np.full(3, 3.0), decoder.bins.edges.shape[1] - 1))
    return decoder


def test_the_path_followed_in_week_7_is_what_the_environment_commands():
    env, rng = TabletopEnv("pick", cameras=()), np.random.default_rng(0)
    env.reset(seed=0)
    start, actions, sent = env.commanded_pose, 0.3 * rng.uniform(-1, 1, (6, 7)), []
    for action in actions:
        env.step(action)
        sent.append(env.commanded_pose[:3])
    env.close()
    assert np.allclose(definitions_of_week_7["follow"](start, actions)[1:], sent, atol=1e-6)


@given(st.integers(1, 12), st.integers(1, 9))
def test_the_chunks_cut_in_week_7_hold_what_follows_each_moment(count, length):
    actions = np.arange(count * 2.0).reshape(count, 2)
    chunks, keep = definitions_of_week_7["chunks_of"](actions, length)
    for t in range(count):
        there = actions[t : t + length]
        assert keep[t].sum() == len(there) and np.array_equal(chunks[t, : len(there)], there)
        assert (chunks[t, len(there) :] == actions[-1]).all()


@given(st.integers(2, 300), st.integers(0, 2**31))
def test_the_tokens_and_labels_built_in_week_7_are_the_librarys(count, seed):
    built, rng = definitions_of_week_7, np.random.default_rng(seed)
    low, high = torch.full((3,), -3.0).double(), torch.tensor([3.0, 1.0, 0.5]).double()
    values = torch.from_numpy(rng.uniform(-4, 4, size=(5, 3)))
    library = uniform_bins(low.numpy(), high.numpy(), count)
    tokens = built["to_tokens"](values, low, high, count)
    assert torch.equal(tokens, library.encode(values))
    assert torch.allclose(built["from_tokens"](tokens, low, high, count).float(), library.decode(tokens), atol=1e-6)
    bins = Bins(3, count, spread=0.3)
    bins.set(library)
    labels = built["soft_labels"](values.float(), bins.centers, 0.3)
    logits = torch.randn(5, 3, count, generator=seeded(seed))
    assert torch.allclose(labels, bins.labels(values.float()), atol=1e-5)
    for spread, wanted in ((0.3, labels), (0.0, built["hard_labels"](bins.encode(values.float()), count))):
        bins.spread = spread
        found = built["cross_entropy"](logits, wanted)
        assert torch.allclose(found, bins.cross_entropy(logits, values.float()), atol=1e-4)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_decoders_built_in_week_7_are_the_librarys(seed):
    built, (context, actions, keep) = definitions_of_week_7, samples_of_week_7(seed)
    torch.manual_seed(seed)
    library, mine = WaypointDecoder(6, 4, 3), built["OneAnswer"](6, 4, 3)
    mine.load_state_dict(library.state_dict())
    assert torch.allclose(mine.loss(context, actions, keep), library.loss(context, actions, keep), atol=1e-6)
    assert torch.allclose(mine.sample(context), library.sample(context), atol=1e-6)
    library = with_bins(AutoregressiveDecoder(6, 4, 3, bins=16, width=16)).eval()
    tokens = library.bins.encode(actions)
    assert torch.allclose(built["all_logits"](library, context, tokens), library(context, tokens), atol=1e-5)
    assert torch.equal(built["write"](library, context, (4, 3)), library.write(context)[0])
    library = ACTDecoder(6, 4, 3, width=16, style=5)
    noise = torch.randn(5, 5, generator=seeded(3))
    found = built["act_loss"](library, context, actions, keep, noise)
    assert torch.allclose(found, library.loss(context, actions, keep, seeded(3)), atol=1e-5)


def test_noise_is_taken_away_in_week_7_as_in_the_library():
    built, (context, actions, keep) = definitions_of_week_7, samples_of_week_7()
    kept = built["kept_after"](100)
    assert torch.allclose(kept, diffusion.squared_cosine(100), atol=1e-6)
    x, clean, fresh = torch.randn(3, 5, 4, 3, generator=seeded(1))
    assert torch.allclose(built["add_noise"](x, fresh, kept[40]), diffusion.add_noise(x, fresh, kept[40]), atol=1e-6)
    for t, before in ((59, kept[49]), (9, torch.ones(()))):
        found = built["ddim"](x, clean, kept[t], before)
        assert torch.allclose(found, diffusion.ddim_step(x, clean, kept[t], before), atol=1e-5)
        found = built["ddpm"](x, clean, kept[t], before, fresh)
        assert torch.allclose(found, diffusion.ddpm_step(x, clean, kept[t], before, fresh), atol=1e-5)
        noisy, said = built["add_noise"](x, fresh, kept[t]), built["velocity_of"](x, fresh, kept[t])
        assert torch.allclose(built["clean_from_noise"](noisy, fresh, kept[t]), x, atol=1e-4)
        assert torch.allclose(built["clean_from_velocity"](noisy, said, kept[t]), x, atol=1e-4)
    library = diffusion.DiffusionDecoder(6, 4, 3, width=16, draws=1)
    dice = seeded(2)
    noise, step = torch.randn(actions.shape, generator=dice), torch.randint(100, (5,), generator=dice)
    found = built["diffusion_loss"](library.network, kept, context, actions, keep, noise, step)
    assert torch.allclose(found, library.loss(context, actions, keep, seeded(2)), atol=1e-5)
    with torch.no_grad():
        start = torch.randn(5, 4, 3, generator=seeded(2))
        found = built["take_away"](library.network, kept, context, start)[-1]
    assert torch.allclose(found, library.sample(context, seeded(2)), atol=1e-4)


def test_noise_flows_in_week_7_as_in_the_library():
    built, (context, actions, keep) = definitions_of_week_7, samples_of_week_7()
    library, dice = FlowDecoder(6, 4, 3, width=16, draws=1), seeded(2)
    noise, time = torch.randn(actions.shape, generator=dice), noisy_times(5, dice, torch.device("cpu"))
    found = built["flow_loss"](library.velocity, context, actions, keep, noise, time)
    assert torch.allclose(found, library.loss(context, actions, keep, seeded(2)), atol=1e-5)
    with torch.no_grad():
        states = built["follow_flow"](library.velocity, context, noise, 7)
        assert len(states) == 8
        assert torch.allclose(states[-1], euler(lambda x, t: library.velocity(x, t, context), noise, 7), atol=1e-5)


@given(st.integers(1, 6), st.integers(1, 6), st.floats(-0.5, 1))
def test_plans_are_carried_out_in_week_7_as_in_the_library(chunk, execute, decay):
    built, plans = definitions_of_week_7, torch.randn(12, chunk, 3, generator=seeded())
    execute = min(execute, chunk)
    pairs = [
        (built["Queue"](execute), RecedingHorizon(execute)),
        (built["Queue"](), RecedingHorizon()),
        (built["Ensemble"](decay), TemporalEnsemble(decay)),
    ]
    for mine, library in pairs:
        for plan in plans:
            found, expected = (way.next(lambda plan=plan: plan) for way in (mine, library))
            assert torch.allclose(found, expected, atol=1e-5)
