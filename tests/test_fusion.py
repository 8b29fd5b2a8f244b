"""Every way to fuse: what is padding stays out, who may look at whom, and what each can learn."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from vla_course.errors import CourseError
from vla_course.models.attention import CrossAttention
from vla_course.models.fusion import ConcatFusion, CrossAttentionFusion, FiLMFusion
from vla_course.models.joint import JointFusion, block_causal_mask
from vla_course.models.language import Words

WIDTH, HEADS = 16, 2
FUSIONS = {
    "concat": lambda: ConcatFusion(WIDTH),
    "film": lambda: FiLMFusion(WIDTH),
    "cross": lambda: CrossAttentionFusion(WIDTH, HEADS),
    "cross by word": lambda: CrossAttentionFusion(WIDTH, HEADS, by_word=True),
    "joint": lambda: JointFusion(WIDTH, HEADS),
}
LOOKS = {"cross": 1, "cross by word": 4, "joint": 1}  # questions of a sentence of four words
each = pytest.mark.parametrize("name", FUSIONS)


def fusion(name: str) -> nn.Module:
    torch.manual_seed(0)
    made = FUSIONS[name]()
    for module in made.modules():  # not the identity, with which FiLM starts
        if hasattr(module, "scale_and_shift"):
            nn.init.normal_(module.scale_and_shift.weight)
    return made


def inputs(state_tokens: int = 1) -> tuple[torch.Tensor, Words, torch.Tensor]:
    """Three sentences of 4, 3 and 1 words, and pictures of 6 tokens."""
    generator = torch.Generator().manual_seed(1)
    tokens, states, extra, pooled = (
        torch.randn(3, *shape, generator=generator)
        for shape in ((6, WIDTH), (4, WIDTH), (state_tokens, WIDTH), (WIDTH,))
    )
    mask = torch.arange(4) < torch.tensor([4, 3, 1]).unsqueeze(1)
    return tokens, Words(states, mask, pooled), extra


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), length=st.integers(1, 7))
def test_attention_with_padding_and_a_mask_equals_torchs_own_with_the_same_weights(seed, length):
    torch.manual_seed(seed)
    ours, theirs = CrossAttention(WIDTH, HEADS), nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key.bias, ours.value.bias]))
        theirs.out_proj.load_state_dict(ours.output.state_dict())
    queries, tokens = torch.randn(2, 5, WIDTH), torch.randn(2, length, WIDTH)
    present = torch.rand(2, length) < 0.6
    allowed = torch.rand(5, length) < 0.6
    present[:, 0] = allowed[:, 0] = True  # each query has something to look at
    answer, logits = ours(queries, tokens, allowed & present.unsqueeze(1))
    expected, weights = theirs(
        queries, tokens, tokens, key_padding_mask=~present, attn_mask=~allowed, average_attn_weights=False
    )
    assert torch.allclose(answer, expected, atol=1e-5)
    assert torch.allclose(logits.softmax(-1), weights, atol=1e-6)
    assert torch.allclose(ours(queries, tokens)[0], theirs(queries, tokens, tokens)[0], atol=1e-5)  # without a mask


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(CourseError, match="3 heads cannot share 16 features"):
        JointFusion(16, heads=3)


@each
@pytest.mark.parametrize("state_tokens", [0, 1, 2])
def test_all_have_one_interface_and_all_their_weights_learn(name, state_tokens):
    module = fusion(name)
    tokens, words, extra = inputs(state_tokens)
    summary, logits = module(tokens, words, extra)
    assert summary.shape == (3, WIDTH)
    assert logits is None if name not in LOOKS else logits.shape == (3, HEADS, LOOKS[name], 6)
    summary.square().sum().backward()
    gradients = {key: parameter.grad for key, parameter in module.named_parameters() if "key.bias" not in key}
    assert all(gradient.isfinite().all() and gradient.abs().sum() > 0 for gradient in gradients.values())


@each
def test_what_stands_in_the_padding_changes_nothing(name):
    module, (tokens, words, extra) = fusion(name), inputs()
    noise = torch.where(words.mask.unsqueeze(-1), 0.0, 100.0)
    longer = Words(
        torch.cat([words.states + noise, torch.full((3, 2, WIDTH), 50.0)], dim=1),
        torch.cat([words.mask, torch.zeros(3, 2, dtype=torch.bool)], dim=1),
        words.pooled,
    )
    (before, where), (after, where_after) = module(tokens, words, extra), module(tokens, longer, extra)
    assert torch.allclose(before, after, atol=1e-5)
    if name in LOOKS:
        kept = words.mask if LOOKS[name] > 1 else words.mask[:, :1]  # rows that mean something
        where, where_after = where.transpose(1, 2)[kept], where_after.transpose(1, 2)[:, : kept.shape[1]][kept]
        assert torch.allclose(where, where_after, atol=1e-4)


@each
def test_the_order_of_tokens_says_nothing_so_positions_must_be_in_them(name):
    module, (tokens, words, extra) = fusion(name), inputs()
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    (before, where), (after, where_after) = module(tokens, words, extra), module(tokens[:, order], words, extra)
    assert torch.allclose(before, after, atol=1e-5)
    if name in LOOKS:
        assert torch.allclose(where[..., order], where_after, atol=1e-5)


@each
def test_sentence_picture_and_state_all_count(name):
    module, (tokens, words, extra) = fusion(name), inputs()
    other = Words(words.states.flip(0), words.mask, words.pooled.flip(0))
    before = module(tokens, words, extra).summary
    for changed in ((shifted(tokens), words, extra), (tokens, other, extra), (tokens, words, shifted(extra))):
        assert (module(*changed).summary - before).abs().max() > 1e-2


def shifted(x: torch.Tensor) -> torch.Tensor:
    """Other features; adding the same to all of them would not show, for a LayerNorm comes first."""
    return x + torch.linspace(-1, 1, WIDTH)


def sequence(module: JointFusion, tokens: torch.Tensor, words: Words, extra: torch.Tensor) -> torch.Tensor:
    """What every token of the joint transformer becomes: (B, 4 words + 6 of the picture + 1 state + 1 readout, C)."""
    seen = []
    hook = module.transformer.register_forward_hook(lambda _, __, output: seen.append(output[0].detach()))
    module(tokens, words, extra)
    hook.remove()
    return seen[0]


def test_the_readout_token_reads_but_is_never_read():
    module, given_ = fusion("joint"), inputs()
    before = sequence(module, *given_)
    with torch.no_grad():
        module.readout.copy_(shifted(module.readout))
    after = sequence(module, *given_)
    assert torch.equal(before[:, :-1], after[:, :-1])
    assert (before[:, -1] - after[:, -1]).abs().max() > 1e-2


def test_the_task_does_not_see_the_observation_and_the_observation_sees_the_task():
    module, (tokens, words, extra) = fusion("joint"), inputs()
    before = sequence(module, tokens, words, extra)
    changed = sequence(module, shifted(tokens), words, shifted(extra))
    assert torch.equal(before[:, :4], changed[:, :4])
    told = sequence(module, tokens, Words(shifted(words.states), words.mask, words.pooled), extra)
    moved = (before - told).abs().amax(-1)
    assert (moved[:, 4:] > 1e-3).all()  # picture, state and readout


def test_blocks_of_two_moments():
    block = torch.tensor([0, 0, 1, 1, 2, 2])  # two words, then a picture and its readout, twice
    readout = torch.tensor([False, False, False, True, False, True])
    expected = """
        110000
        110000
        111000
        111100
        111010
        111011
    """
    rows = [[character == "1" for character in row] for row in expected.split()]
    assert block_causal_mask(block, readout).tolist() == rows


def task(generator: torch.Generator) -> tuple[torch.Tensor, Words, torch.Tensor, torch.Tensor]:
    """Four tokens in any order, each with a name and a place; the sentence names one; the answer is its place."""
    order = torch.rand(32, 4, generator=generator).argsort(1)
    places = torch.rand(32, 4, 2, generator=generator) * 2 - 1
    named = torch.randint(4, (32,), generator=generator)
    tokens = nn.functional.pad(torch.cat([nn.functional.one_hot(order, 4), places], -1), (0, WIDTH - 6))
    word = nn.functional.pad(nn.functional.one_hot(named, 4).float(), (0, WIDTH - 4))
    words = Words(word.unsqueeze(1), torch.ones(32, 1, dtype=torch.bool), word)
    return tokens, words, torch.zeros(32, 0, WIDTH), places[order == named.unsqueeze(1)]


def test_who_looks_finds_the_named_token_and_the_mean_does_not():
    errors = {}
    for name in ("concat", "cross", "joint"):
        torch.manual_seed(0)
        model = nn.ModuleList([FUSIONS[name](), nn.Linear(WIDTH, 2)])
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, fused=True)
        generator = torch.Generator().manual_seed(0)
        for _ in range(350):
            tokens, words, extra, places = task(generator)
            loss = (model[1](model[0](tokens, words, extra).summary) - places).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        errors[name] = loss.item()  # on scenes that were never seen before: each step has new ones
    assert errors.pop("concat") > 0.15  # 0.33 is the error of an answer of zero
    assert max(errors.values()) < 0.05, errors
