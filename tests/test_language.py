"""Every language encoder, from a bag of words to CLIP and T5: padding says nothing, and a mask tells it."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import nn
from transformers import (
    BertConfig,
    BertModel,
    CLIPConfig,
    CLIPModel,
    CLIPTextModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
    T5ForConditionalGeneration,
)

from vla_course.data.tokenizer import UNKNOWN, PretrainedTokenizer, WordTokenizer
from vla_course.errors import CourseError
from vla_course.models.language import BagOfWords, GRUEncoder, PretrainedTextEncoder, hide_words
from vla_course.models.text_transformer import TransformerTextEncoder
from vla_course.models.word_cache import WordCache

WORDS = ["pick", "up", "the", "red", "blue", "cube", "ball"]
SPECIAL = ["<pad>", "<unk>", "<s>", "</s>"]
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
SIZE = len(SPECIAL) + len(WORDS)


def make_bert() -> nn.Module:
    return BertModel(BertConfig(vocab_size=SIZE, **SMALL, pad_token_id=0, max_position_embeddings=12))


def make_clip() -> nn.Module:
    text = {**SMALL, "vocab_size": SIZE, "max_position_embeddings": 12, "bos_token_id": 2, "eos_token_id": 3}
    vision = {**SMALL, "image_size": 16, "patch_size": 8}
    return CLIPModel(CLIPConfig(text_config={**text, "pad_token_id": 3}, vision_config=vision, projection_dim=8))


def make_t5() -> nn.Module:
    config = T5Config(vocab_size=SIZE, d_model=16, d_kv=8, d_ff=16, num_layers=2, num_heads=2, eos_token_id=3)
    return T5ForConditionalGeneration(config)


PRETRAINED = {
    "bert": (make_bert, BertModel),
    "clip": (make_clip, CLIPTextModel),
    "t5": (make_t5, T5EncoderModel),
    "t5, encoder alone": (lambda: T5EncoderModel(make_t5().config), T5EncoderModel),
}
SCRATCH = {
    "bag": lambda: BagOfWords(WordTokenizer(WORDS), 16),
    "gru": lambda: GRUEncoder(WordTokenizer(WORDS), 16),
    "transformer": lambda: TransformerTextEncoder(WordTokenizer(WORDS), 16),
}
sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Small models of random weights, each saved as what is on the hub is: with all its halves, and a tokenizer."""
    torch.manual_seed(0)
    saved = {}
    for name, (make, _) in PRETRAINED.items():
        saved[name] = tmp_path_factory.mktemp(name)
        words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(SPECIAL + WORDS)}, "<unk>"))
        words.pre_tokenizer = pre_tokenizers.Whitespace()
        ends = "$A </s>" if name == "t5" else "<s> $A </s>"
        words.post_processor = processors.TemplateProcessing(ends, None, [("<s>", 2), ("</s>", 3)])
        pad = "</s>" if name == "clip" else "<pad>"  # CLIP's own tokenizer pads with the end of text
        names = {"pad_token": pad, "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
        PreTrainedTokenizerFast(tokenizer_object=words, **names).save_pretrained(saved[name])
        make().save_pretrained(saved[name])
    return saved


@pytest.fixture(scope="module")
def encoders(folders) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    made = {name: make() for name, make in SCRATCH.items()}
    made |= {name: PretrainedTextEncoder(str(folder)) for name, folder in folders.items()}
    made["cache"] = WordCache(PretrainedTextEncoder(str(folders["bert"])))
    return {name: encoder.eval() for name, encoder in made.items()}


every = pytest.mark.parametrize("name", [*SCRATCH, *PRETRAINED, "cache"])


@every
@settings(max_examples=15, deadline=None)
@given(batch=st.lists(sentences, min_size=2, max_size=4))
def test_a_sentence_says_the_same_alone_and_beside_longer_ones(name, batch, encoders):
    encoder = encoders[name]
    states, mask, pooled = encoder.encode(batch)
    assert states.shape == (*mask.shape, encoder.features) and pooled.shape == (len(batch), encoder.features)
    assert (states[~mask] == 0).all()
    assert torch.equal(encoder(batch), pooled)
    for i, sentence in enumerate(batch):
        alone = encoder.encode([sentence])
        assert alone.mask.all() and mask[i].sum() == alone.mask.shape[1] >= len(sentence.split())
        assert torch.allclose(states[i][mask[i]], alone.states[0], atol=1e-5)
        assert torch.allclose(pooled[i], alone.pooled[0], atol=1e-5)


@every
def test_only_a_bag_of_words_does_not_know_their_order(name, encoders):
    one, other = encoders[name](["the red ball up the blue cube", "the blue ball up the red cube"])
    assert torch.allclose(one, other, atol=1e-5) == (name == "bag")


def test_the_transformer_equals_torchs_own_with_the_same_weights(encoders):
    ours = encoders["transformer"]
    layer = nn.TransformerEncoderLayer(16, 4, 64, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
    theirs = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(16), enable_nested_tensor=False)
    theirs.norm.load_state_dict(ours.transformer.norm.state_dict())
    for block, copy in zip(ours.transformer.blocks, theirs.layers, strict=True):
        a = block.attention
        copy.self_attn.in_proj_weight.data = torch.cat([a.query.weight, a.key.weight, a.value.weight]).detach()
        copy.self_attn.in_proj_bias.data = torch.cat([a.query.bias, a.key.bias, a.value.bias]).detach()
        copy.self_attn.out_proj.load_state_dict(a.output.state_dict())
        for mine, torchs in (("norm1", "norm1"), ("norm2", "norm2"), ("mlp.0", "linear1"), ("mlp.2", "linear2")):
            copy.get_submodule(torchs).load_state_dict(block.get_submodule(mine).state_dict())
    tokens, mask = ours.tokenizer.batch_with_mask(["pick the ball", "pick up the red cube up the ball"])
    places = torch.arange(tokens.shape[1]).unsqueeze(1) / 10000 ** (torch.arange(0, 16, 2) / 16)
    embedded = ours.embedding(tokens) + torch.cat([places.sin(), places.cos()], dim=1)
    expected = theirs(embedded, src_key_padding_mask=~mask)
    words = ours.encode(["pick the ball", "pick up the red cube up the ball"])
    assert torch.allclose(words.states[mask], expected[mask], atol=1e-5)
    assert torch.allclose(words.pooled[0], expected[0, :3].mean(0), atol=1e-5)


@pytest.mark.parametrize("name", PRETRAINED)
def test_a_pretrained_model_says_what_its_own_class_says_and_carries_no_other_half(name, folders, encoders):
    encoder, theirs = encoders[name], PRETRAINED[name][1].from_pretrained(folders[name]).eval()
    tokens = torch.tensor([encoder.tokenizer.encode("pick up the red cube")])
    assert torch.allclose(encoder.encode(["pick up the red cube"]).states, theirs(tokens).last_hidden_state, atol=1e-5)
    assert sum(p.numel() for p in encoder.parameters()) == sum(p.numel() for p in theirs.parameters())


def test_a_frozen_model_has_no_dropout_and_learns_nothing_and_the_other_does(folders):
    for frozen in (True, False):
        encoder = PretrainedTextEncoder(str(folders["bert"]), frozen=frozen).train()
        same = torch.equal(encoder(["pick the ball"]), encoder(["pick the ball"]))
        assert same == frozen
        assert all(parameter.requires_grad != frozen for parameter in encoder.parameters())


@pytest.mark.parametrize("name", ["bert", "clip"])
def test_a_sentence_longer_than_the_model_is_refused(name, encoders):
    assert encoders[name].encode(["the " * 10]).mask.shape == (1, 12)
    with pytest.raises(CourseError, match="a sentence of 13 tokens is too long .* takes 12; shorten it"):
        encoders[name].encode(["pick the ball", "the " * 11])


@every
def test_a_sentence_without_a_known_word_is_refused(name, encoders):
    with pytest.raises(CourseError, match="no word of 'xyzzy' is known"):
        encoders[name].encode(["pick the ball", "xyzzy"])


def test_a_cache_encodes_each_sentence_once_and_says_the_same(folders):
    encoder = PretrainedTextEncoder(str(folders["t5"]))
    cache = WordCache(encoder).train()
    encoded = []
    encoder.model.register_forward_pre_hook(
        lambda _, __, given: encoded.append(len(given["input_ids"])), with_kwargs=True
    )
    known = ["pick the ball", "pick up the red cube", "the cube", "pick up the blue ball the cube"]
    generator = torch.Generator().manual_seed(0)
    batches = [[known[i] for i in torch.randint(4, (8,), generator=generator)] for _ in range(100)]
    remembered = [cache.encode(batch) for batch in batches]
    assert sum(encoded) == 4  # instead of 800
    for batch, words in zip(batches[:5], remembered, strict=False):
        for ours, theirs in zip(words, encoder.encode(batch), strict=True):
            assert torch.allclose(ours, theirs, atol=1e-5)


def test_a_cache_that_was_filled_while_nothing_learned_serves_training(folders):
    cache = WordCache(PretrainedTextEncoder(str(folders["bert"])))
    with torch.inference_mode():
        cache(["pick the ball"])
    layer = nn.Linear(16, 4)
    layer(cache(["pick the ball"])).sum().backward()
    assert layer.weight.grad.abs().sum() > 0


def test_a_cache_forgets_when_other_weights_are_loaded(folders):
    cache = WordCache(PretrainedTextEncoder(str(folders["bert"])))
    before = cache(["pick the ball"])
    policy = nn.ModuleDict({"language": cache})  # as a policy holds it
    policy.load_state_dict({name: value * 1.5 for name, value in policy.state_dict().items()})
    assert not torch.allclose(cache(["pick the ball"]), before, atol=1e-3)
    assert torch.equal(cache(["pick the ball"]), cache.encoder(["pick the ball"]))


def test_an_encoder_that_learns_cannot_be_cached():
    with pytest.raises(CourseError, match="cannot be cached .*embedding.weight.* freeze it"):
        WordCache(SCRATCH["gru"]())
    WordCache(SCRATCH["gru"]().requires_grad_(False))


def test_words_are_hidden_while_training_only_and_padding_never():
    words = WordTokenizer(WORDS)
    tokens, mask = words.batch_with_mask(["pick the ball", "pick up the red cube"])
    assert torch.equal(hide_words(words, tokens, mask, 0.0), tokens)
    hidden = hide_words(words, tokens, mask, 1.0)
    assert (hidden[mask] == UNKNOWN).all() and torch.equal(hidden[~mask], tokens[~mask])
    encoder = BagOfWords(words, 8, unknown_rate=1.0)
    pick, lift = encoder.train()(["pick", "up"])
    assert torch.equal(pick, lift)
    pick, lift = encoder.eval()(["pick", "up"])
    assert not torch.equal(pick, lift)


def test_an_encoder_from_scratch_takes_pieces_of_words_too(folders):
    pieces = PretrainedTextEncoder(str(folders["bert"])).tokenizer
    assert isinstance(pieces, PretrainedTokenizer)
    for build in (BagOfWords, GRUEncoder, TransformerTextEncoder):
        encoder = build(pieces, 16, unknown_rate=0.5).train()
        words = encoder.encode(["pick the ball", "pick up the red cube"])
        words.pooled.sum().backward()
        assert words.mask.sum(1).tolist() == [5, 7] and encoder.embedding.weight.grad.isfinite().all()
