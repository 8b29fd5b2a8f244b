"""Two tokenizers, one set of verbs: what is true of the one is true of the other. Nothing is fetched."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from vla_course.data.tokenizer import PretrainedTokenizer, WordTokenizer
from vla_course.errors import CourseError

SENTENCES = [
    "pick up the red cube",
    "grab the blue ball",
    "put the green cylinder in the white bowl",
    "push the cube to the left",
]


def word_piece() -> PreTrainedTokenizerFast:
    """As BERT's: lower case, pieces of words, [CLS] and [SEP] around the sentence; trained here and now."""
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(SENTENCES, trainers.WordPieceTrainer(vocab_size=90, special_tokens=special))
    ends = [(name, tokenizer.token_to_id(name)) for name in ("[SEP]", "[CLS]")]
    tokenizer.post_processor = processors.BertProcessing(*ends)
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)


def byte_pairs() -> PreTrainedTokenizerFast:
    """As GPT-2's: every byte is known, and there is an end of text but no padding."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=["<|end|>"], initial_alphabet=alphabet)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", unk_token="<|end|>")


TOKENIZERS = {
    "words": WordTokenizer.from_sentences(SENTENCES),
    "WordPiece": PretrainedTokenizer(word_piece()),
    "byte pairs": PretrainedTokenizer(byte_pairs()),
}
both = pytest.mark.parametrize("name", TOKENIZERS)
words = st.lists(st.sampled_from(sorted({w for s in SENTENCES for w in s.split()})), min_size=1, max_size=9)
known = words.map(" ".join)


@both
@settings(deadline=None)
@given(sentence=known)
def test_a_sentence_of_known_words_comes_back(name, sentence):
    tokenizer = TOKENIZERS[name]
    tokens = tokenizer.encode(sentence)
    assert tokenizer.decode(tokens) == sentence
    assert all(isinstance(token, int) and 0 <= token < len(tokenizer) for token in tokens)


@both
@settings(deadline=None)
@given(sentences=st.lists(known, min_size=1, max_size=5))
def test_the_mask_is_true_where_the_sentence_is_and_the_rest_is_padding(name, sentences):
    tokenizer = TOKENIZERS[name]
    tokens, mask = tokenizer.batch_with_mask(sentences)
    assert tokens.dtype == torch.int64 and mask.dtype == torch.bool and tokens.shape == mask.shape
    assert mask.shape[1] == mask.sum(1).max()
    for sentence, row, kept in zip(sentences, tokens, mask, strict=True):
        assert row[kept].tolist() == tokenizer.encode(sentence)
        assert (row[~kept] == tokenizer.pad).all() and not kept[kept.sum() :].any()
    assert torch.equal(tokenizer.batch(sentences), tokens)


@settings(deadline=None)
@given(sentences=st.lists(known, min_size=1, max_size=5))
def test_tokens_and_mask_are_those_of_transformers(sentences):
    tokenizer = TOKENIZERS["WordPiece"]
    theirs = tokenizer.tokenizer(sentences, padding=True, return_tensors="pt")
    tokens, mask = tokenizer.batch_with_mask(sentences)
    assert torch.equal(tokens, theirs["input_ids"]) and torch.equal(mask.long(), theirs["attention_mask"])


def test_without_a_padding_token_only_the_mask_tells_padding():
    tokenizer = TOKENIZERS["byte pairs"]
    assert tokenizer.tokenizer.pad_token_id is None
    end = tokenizer.tokenizer.eos_token
    tokens, mask = tokenizer.batch_with_mask([f"pick{end}", "pick up the red cube"])
    same = tokens[0] == tokenizer.pad
    assert same.sum() > (~mask[0]).sum() > 0  # one of them was said, the others are padding


def test_a_word_that_was_never_seen_is_spelled_from_pieces():
    sentence = "pick up the red tube"
    assert TOKENIZERS["words"].decode(TOKENIZERS["words"].encode(sentence)) == "pick up the red <unk>"
    assert TOKENIZERS["WordPiece"].decode(TOKENIZERS["WordPiece"].encode(sentence)) == sentence


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("words", "xyzzy"), ("words", ""), ("WordPiece", "42 §§"), ("WordPiece", ""), ("byte pairs", "")],
)
def test_a_sentence_that_cannot_be_read_is_refused(name, sentence):
    with pytest.raises(CourseError, match=rf"no word of {sentence!r} is known .* such as: \w+, \w+") as caught:
        TOKENIZERS[name].encode(sentence)
    assert "\n" not in str(caught.value)
