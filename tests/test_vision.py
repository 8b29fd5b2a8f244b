"""Whatever sees keeps where it saw it; the parts built from scratch are what the papers say."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torchvision.models import VisionTransformer

from vla_course.errors import CourseError
from vla_course.models.film import FiLM, FiLMConvEncoder
from vla_course.models.observation import CameraTokens, StateToken
from vla_course.models.positions import sine_positions, sine_positions_2d
from vla_course.models.vision import BackboneEncoder, ConvEncoder
from vla_course.models.vit import ViTEncoder

ENCODERS = {
    "conv": lambda: ConvEncoder(16),
    "resnet18": lambda: BackboneEncoder("resnet18", "layer2", frozen=True),
    "vit": lambda: ViTEncoder(16, patch=8, layers=2, heads=2),
    "vit learned": lambda: ViTEncoder(16, patch=8, layers=2, heads=2, grid=(8, 12)),
    "film": lambda: FiLMConvEncoder(16, condition=5),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_the_cell_that_changes_most_is_where_the_picture_changed(name):
    torch.manual_seed(0)
    encoder = ENCODERS[name]().eval()
    condition = [torch.ones(1, 5)] if name == "film" else []
    blank = torch.full((1, 3, 64, 96), 0.5)
    before = encoder(blank, *condition)
    _, features, height, width = before.shape
    assert features == encoder.features and (height, width) in [(8, 12), (16, 24)]
    for v, u in [(20, 20), (20, 76), (44, 36)]:
        spot = blank.clone()
        spot[:, :, v - 4 : v + 4, u - 4 : u + 4] = 1.0
        change = (encoder(spot, *condition) - before).abs().sum(1)[0]
        row, column = divmod(change.argmax().item(), width)
        assert abs((row + 0.5) / height - v / 64) < 0.15 and abs((column + 0.5) / width - u / 96) < 0.1  # one cell off


@pytest.mark.parametrize(
    ("name", "layer", "shape"),
    [
        ("resnet18", "layer4", (512, 2, 2)),
        ("resnet50", "layer2", (512, 8, 8)),
        ("mobilenet_v3_small", "features.3", (24, 8, 8)),
        ("efficientnet_b0", "features.3", (40, 8, 8)),
        ("convnext_tiny", "features.3", (192, 8, 8)),
    ],
)
def test_backbones_give_maps_of_small_pictures(name, layer, shape):
    with torch.device("meta"):  # shapes without numbers: nothing is computed
        encoder = BackboneEncoder(name, layer)
        assert encoder.features == shape[0]
        assert encoder(torch.zeros(2, 3, 64, 64)).shape == (2, *shape)


def test_a_frozen_backbone_stays_as_it_is_while_the_rest_trains():
    images = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    for frozen in (True, False):
        encoder = BackboneEncoder("resnet18", "layer1", frozen=frozen)
        before = {name: value.clone() for name, value in encoder.state_dict().items()}
        encoder.train()(images)
        changed = [name for name, value in encoder.state_dict().items() if not torch.equal(value, before[name])]
        assert bool(changed) != frozen  # BatchNorm's means and counts
        assert all(parameter.requires_grad != frozen for parameter in encoder.parameters())


@pytest.mark.parametrize(
    ("name", "layer", "message"),
    [
        ("resnet18", "flatten", r"'flatten' of 'resnet18' gives \(1, 512\), no map"),
        ("swin_t", "features.1", r"'features.1' of 'swin_t' gives \(1, 16, 16, 96\), no map"),
        ("vit_b_16", "encoder", "'vit_b_16' does not take pictures of any size"),
        ("r3d_18", "layer2", "'r3d_18' does not take pictures of any size"),
    ],
)
def test_a_layer_without_a_map_is_refused(name, layer, message):
    with torch.device("meta"), pytest.raises(CourseError, match=message) as caught:
        BackboneEncoder(name, layer)
    assert "\n" not in str(caught.value)


def test_without_a_network_pretrained_weights_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody answers there
    with pytest.raises(CourseError, match="weights of 'resnet18' cannot be fetched.*pretrained=False") as caught:
        BackboneEncoder("resnet18", "layer2", pretrained=True)
    assert "\n" not in str(caught.value)


def test_the_vit_equals_torchvisions_with_the_same_weights():
    torch.manual_seed(0)
    ours = ViTEncoder(24, patch=8, layers=3, heads=3, grid=(6, 6))
    theirs = VisionTransformer(48, 8, 3, 3, hidden_dim=24, mlp_dim=96, norm_layer=nn.LayerNorm)
    encoder = theirs.encoder
    encoder.pos_embedding = nn.Parameter(
        ours.positions.detach().unsqueeze(0)
    )  # theirs has one more, for its class token
    theirs.conv_proj.load_state_dict(ours.embedding.state_dict())
    encoder.ln.load_state_dict(ours.transformer.norm.state_dict())
    for block, layer in zip(ours.transformer.blocks, encoder.layers, strict=True):
        a = block.attention
        layer.ln_1.load_state_dict(block.norm1.state_dict())
        layer.ln_2.load_state_dict(block.norm2.state_dict())
        layer.self_attention.in_proj_weight.data = torch.cat([a.query.weight, a.key.weight, a.value.weight])
        layer.self_attention.in_proj_bias.data = torch.cat([a.query.bias, a.key.bias, a.value.bias])
        layer.self_attention.out_proj.load_state_dict(a.output.state_dict())
        layer.mlp[0].load_state_dict(block.mlp[0].state_dict())
        layer.mlp[3].load_state_dict(block.mlp[2].state_dict())
    images = torch.rand(2, 3, 48, 48)
    expected = encoder(theirs._process_input(images * 2 - 1))  # (B, 36, C)
    assert torch.allclose(ours(images).flatten(2).transpose(1, 2), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "message"),
    [((64, 60), "64 x 60 pixels does not divide into patches of 8"), ((64, 64), r"\(8, 8\) patches.*\(8, 12\)")],
)
def test_a_vit_refuses_pictures_that_do_not_fit(size, message):
    with pytest.raises(CourseError, match=message):
        ENCODERS["vit learned"]()(torch.zeros(1, 3, *size))


@settings(max_examples=25, deadline=None)
@given(length=st.integers(1, 40), half=st.integers(1, 20))
def test_sine_positions_are_those_of_the_paper(length, half):
    positions = sine_positions(length, 2 * half)
    for place in {0, length // 2, length - 1}:
        for i in range(half):
            angle = place / 10000 ** (2 * i / (2 * half))
            assert positions[place, i] == pytest.approx(math.sin(angle), abs=1e-4)
            assert positions[place, half + i] == pytest.approx(math.cos(angle), abs=1e-4)


def test_every_cell_of_a_map_has_a_position_of_its_own_and_neighbors_are_alike():
    positions = sine_positions_2d(6, 9, 32).unflatten(0, (6, 9))
    assert torch.equal(positions[2, :, :16], positions[4, :, :16])  # columns, in every row the same
    assert torch.equal(positions[:, 3, 16:], positions[:, 7, 16:])  # rows, in every column the same
    alike = positions.flatten(0, 1) @ positions.flatten(0, 1).T
    alike.fill_diagonal_(-math.inf)
    distance = (alike[4 * 9 + 5].argmax() - (4 * 9 + 5)).abs()
    assert distance in (1, 9) and alike.max() < 16 - 0.1  # 16 is the position with itself


@pytest.mark.parametrize(("build", "features"), [(sine_positions, 7), (lambda n, f: sine_positions_2d(n, n, f), 6)])
def test_positions_need_a_width_that_their_waves_fill(build, features):
    with pytest.raises(CourseError, match=f"not {features}"):
        build(4, features)


def test_film_is_the_equation():
    film = FiLM(3, 2)
    nn.init.normal_(film.scale_and_shift.weight)
    features, condition = torch.randn(2, 2, 4, 5), torch.randn(2, 3)
    modulated = film(features, condition)
    numbers = condition @ film.scale_and_shift.weight.T + film.scale_and_shift.bias
    for b in range(2):
        for c in range(2):
            gamma, beta = numbers[b, c], numbers[b, 2 + c]
            assert torch.allclose(modulated[b, c], (1 + gamma) * features[b, c] + beta, atol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_a_film_network_starts_as_the_plain_one_and_then_each_picture_has_its_own_sentence(training):
    torch.manual_seed(0)
    plain, film = ConvEncoder(16).train(training), FiLMConvEncoder(16, condition=5).train(training)
    for block, convolution in zip(plain.layers, film.convolutions, strict=True):
        convolution.load_state_dict(block[0].state_dict())
    images, condition = torch.rand(3, 3, 32, 32), torch.randn(3, 5)
    assert torch.allclose(film(images, condition), plain(images), atol=1e-5)
    if not training:  # BatchNorm mixes the pictures of a batch while it trains
        for layer in film.films:
            nn.init.normal_(layer.scale_and_shift.weight)
        other = condition.clone()
        other[1] += 1
        changed = (film(images, condition) != film(images, other)).flatten(1).any(1)
        assert changed.tolist() == [False, True, False]


def pictures() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "front": torch.rand(2, 3, 32, 48, generator=generator),
        "wrist": torch.rand(2, 3, 16, 16, generator=generator),
    }


@pytest.mark.parametrize("encoders", [1, 2])
def test_tokens_of_two_cameras_are_those_of_each_and_go_back_to_maps(encoders):
    torch.manual_seed(0)
    cameras = CameraTokens(["front", "wrist"], [ViTEncoder(16, 8, 1, 2) for _ in range(encoders)], width=12).eval()
    seen = cameras(pictures())
    assert seen.tokens.shape == (2, 4 * 6 + 2 * 2, 12) and seen.grids == {"front": (4, 6), "wrist": (2, 2)}
    maps = seen.maps(seen.tokens.transpose(1, 2))  # (B, C, N) to (B, C, h, w) a camera
    for i, (name, picture) in enumerate(pictures().items()):
        part = min(i, encoders - 1)
        expected = cameras.to_tokens[part](cameras.encoders[part](picture).permute(0, 2, 3, 1))  # (B, h, w, C)
        expected += sine_positions_2d(*seen.grids[name], 12).unflatten(0, seen.grids[name])
        assert torch.allclose(maps[name].permute(0, 2, 3, 1), expected + cameras.camera_embedding[i], atol=1e-5)


def test_one_picture_on_two_cameras_is_told_apart():
    cameras = CameraTokens(["front", "wrist"], [ConvEncoder(8)], width=8).eval()
    picture = pictures()["front"]
    maps = cameras({"front": picture, "wrist": picture})
    front, wrist = maps.tokens.chunk(2, dim=1)
    assert torch.allclose(front - wrist, cameras.camera_embedding[0] - cameras.camera_embedding[1], atol=1e-5)
    assert (front - wrist).abs().max() > 1e-3


def test_cameras_pass_a_sentence_on_and_state_is_one_more_token():
    cameras = CameraTokens(["front"], [FiLMConvEncoder(8, condition=5)], width=8)
    seen = cameras(pictures(), torch.randn(2, 5))
    token = StateToken(7, 8)(torch.zeros(2, 7))
    assert torch.cat([seen.tokens, token], dim=1).shape == (2, 8 * 12 + 1, 8)


def test_cameras_that_do_not_fit_are_named():
    with pytest.raises(CourseError, match="2 encoders for 3 cameras"):
        CameraTokens(["a", "b", "c"], [ConvEncoder(8), ConvEncoder(8)], width=8)
    with pytest.raises(CourseError, match="no picture of camera 'overhead'; there are: front, wrist"):
        CameraTokens(["overhead"], [ConvEncoder(8)], width=8)(pictures())
