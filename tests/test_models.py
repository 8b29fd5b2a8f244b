"""The parts of the policy are what the textbooks say, fit together, and survive being saved."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BertConfig, BertModel, BertTokenizer

from vla_course.data.windows import WindowDataset
from vla_course.errors import CourseError
from vla_course.evaluation.rollouts import load_policy
from vla_course.models.eye import grounding_loss, local_mean_position
from vla_course.models.language import PretrainedTextEncoder
from vla_course.models.policy import DECODERS, VLAConfig, VLAPolicy
from vla_course.models.positions import grid_centers
from vla_course.models.vision import BackboneEncoder

STATISTICS = {"mean": [0.1] * 7, "std": [0.5] * 6 + [0.0], "min": [-1.0] * 7, "max": [1.0] * 7}
WORDS = ["pick", "up", "the", "red", "blue", "cube", "ball"]


@pytest.fixture(scope="module")
def batch(demonstrations):
    return WindowDataset(demonstrations).__getitems__([0, 1, 2, 3])


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """A BERT of random weights, small enough for a test, in a local folder."""
    folder = tmp_path_factory.mktemp("bert")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(folder)
    return str(folder)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.1, 0.9), st.floats(0.1, 0.9), st.integers(8, 20))
def test_the_mean_position_of_a_bump_is_its_center_to_a_fraction_of_a_cell(u, v, cells):
    centers = grid_centers(cells, cells, torch.device("cpu"))
    center = torch.tensor([u, v])
    bump = -((centers - center) * cells).square().sum(-1) / (2 * 0.8**2)
    elsewhere = (centers - center).square().sum(-1).argmax()
    bump[elsewhere] = bump.max() - 0.1  # nearly as high, far away
    found = local_mean_position(bump.view(1, 1, cells, cells))
    assert (found[0, 0] - center).abs().max() * cells < 0.35


def test_the_grounding_loss_is_least_where_the_attention_is_on_the_target():
    pixel = torch.tensor([[0.25, 0.75]])
    centers = grid_centers(16, 16, torch.device("cpu"))
    losses = []
    for place in ([0.25, 0.75], [0.5, 0.75], [0.75, 0.25]):
        distance = (centers - torch.tensor(place)).square().sum(-1)
        losses.append(grounding_loss((-distance / (2 * 0.04**2)).view(1, 16, 16), pixel).item())
    assert losses == sorted(losses) and losses[0] < losses[1] / 2


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"heads": 2, "grounding_weight": 0.0},
        {"vision": "resnet18"},
        {"vision": "resnet50", "vision_layer": "layer1"},
        {"vision": "mobilenet_v3_small", "vision_layer": "features.3"},
        {"language": "bert"},
        {"vision": "vit"},
        {"vision": "film", "language": "bag"},
        {"language": "transformer", "fusion": "joint"},
        {"fusion": "concat"},
        {"fusion": "film", "glance": 16},
        *({"decoder": decoder} for decoder in DECODERS if decoder != "l1"),
        {"decoder": "tokens", "bins": "quantile"},
    ],
    ids=str,
)
def test_every_choice_of_parts_trains_acts_and_comes_back_from_disk(parts, batch, bert, tmp_path):
    if parts.get("language") == "bert":
        parts = {"language": bert}
    policy = VLAPolicy.seeded(VLAConfig(words=WORDS, **parts), seed=0)
    policy.set_statistics(dict.fromkeys(("state", "action"), STATISTICS), np.random.default_rng(0).normal(size=(99, 7)))
    loss, metrics = policy(batch)
    loss.backward()
    assert torch.isfinite(loss) and set(metrics) == {"action_loss", "grounding_loss"}
    trained = [p for p in policy.parameters() if p.requires_grad]
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in trained)
    policy.save_pretrained(tmp_path)
    chunks = []
    for one in (policy, load_policy(tmp_path)):
        one.generator = torch.Generator().manual_seed(0)
        chunks.append(one.predict_action_chunk(batch))
    assert chunks[0].shape == (4, 5, 7) and torch.equal(*chunks)


def test_quantile_bins_hold_about_equally_many_of_the_recorded_actions():
    policy = VLAPolicy.seeded(VLAConfig(words=WORDS, decoder="tokens", bins="quantile"), seed=0)
    recorded = np.random.default_rng(0).normal(size=(10_000, 7)).astype(np.float32)
    policy.set_statistics(dict.fromkeys(("state", "action"), STATISTICS), recorded)
    normalized = (torch.from_numpy(recorded) - policy.action_offset) / policy.action_scale
    counts = policy.decoder.bins.encode(normalized)[:, 0].bincount(minlength=256)
    assert counts.min() >= 15 and counts.max() <= 60  # 39 on average; uniform bins hold from 0 to over 100
    with pytest.raises(CourseError, match="quantile bins are made of the recorded actions"):
        policy.set_statistics(dict.fromkeys(("state", "action"), STATISTICS))


def test_pointing_does_not_touch_the_action_loss(batch):
    policy = VLAPolicy.seeded(VLAConfig(words=WORDS, dropout=0.0), seed=0).eval()
    without = {key: value for key, value in batch.items() if not key.startswith("pointing")}
    assert policy(batch)[1]["action_loss"] == pytest.approx(policy(without)[1]["action_loss"], rel=1e-5)


def test_padded_actions_do_not_count(batch):
    policy = VLAPolicy.seeded(VLAConfig(words=WORDS), seed=0).eval()
    padded = {**batch, "action_is_pad": torch.zeros(4, 5, dtype=torch.bool), "action": batch["action"].clone()}
    padded["action_is_pad"][:, 3:] = True
    before = policy(padded)[1]["action_loss"]
    padded["action"][:, 3:] += 100
    assert policy(padded)[1]["action_loss"] == before


def test_a_plan_is_carried_out_action_by_action(batch):
    policy = VLAPolicy.seeded(VLAConfig(words=WORDS), seed=0)
    chunk = policy.predict_action_chunk(batch)
    actions = [policy.select_action(batch) for _ in range(7)]
    assert torch.equal(torch.stack(actions[:5], 1), chunk)
    assert torch.equal(actions[5], chunk[:, 0])  # a new plan
    policy.reset()
    assert torch.equal(policy.select_action(batch), chunk[:, 0])


def test_a_seed_decides_the_first_weights_and_leaves_the_global_state_alone():
    state = torch.get_rng_state()
    first, second, other = (VLAPolicy.seeded(VLAConfig(words=WORDS), seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.eyes["front"].to_query.weight, second.eyes["front"].to_query.weight)
    assert not torch.equal(first.eyes["front"].to_query.weight, other.eyes["front"].to_query.weight)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: BackboneEncoder("resnet5000", "layer1"), "'resnet5000' is neither .*film.*list_models"),
        (lambda: BackboneEncoder("resnet18", "layer9"), "'layer9'.*layer1"),
        (lambda: PretrainedTextEncoder("nowhere/no-such-model"), "nowhere/no-such-model.*local path or connect"),
    ],
)
def test_a_part_that_does_not_exist_is_named(build, message):
    with pytest.raises(CourseError, match=message) as caught:
        build()
    assert "\n" not in str(caught.value)


def test_a_checkpoint_of_another_shape_is_refused(tmp_path):
    VLAPolicy.seeded(VLAConfig(words=WORDS), seed=0).save_pretrained(tmp_path)
    config = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(config.replace('"width": 48', '"width": 32'))
    with pytest.raises(CourseError, match="do not fit config.json") as caught:
        load_policy(tmp_path)
    assert "\n" not in str(caught.value)


def test_damaged_weights_are_refused(tmp_path):
    VLAPolicy.seeded(VLAConfig(words=WORDS), seed=0).save_pretrained(tmp_path)
    weights = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(CourseError, match="train the policy again"):
        load_policy(tmp_path)


def test_blank_pictures_of_one_brightness_give_finite_plans():
    policy = VLAPolicy.seeded(VLAConfig(words=WORDS), seed=0)
    state = torch.from_numpy(np.zeros((1, 7), dtype=np.float32))
    batch = {"observation.images.front": torch.zeros(1, 3, 64, 64), "observation.state": state, "task": ["the cube"]}
    assert torch.isfinite(policy.predict_action_chunk(batch)).all()
