"""Copies are found in spite of new names, and what everybody writes alike is not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_course.grading.results import SubmissionResult, TaskResult
from vla_course.grading.similarity import FEWEST, WINDOW, K, fingerprints, similar_pairs, tokens

LOOP = '''def action_loss(pred, target, is_pad):
    """My answer."""
    total, count = 0.0, 0
    for b in range(pred.shape[0]):
        for t in range(pred.shape[1]):
            if not is_pad[b, t]:
                total = total + ((pred[b, t] - target[b, t]) ** 2).mean()
                count += 1
    return total / max(count, 1)  # mean
'''
COPY = """def action_loss(p, y, padding):
    # completely my own work, see the long comment
    s,   n = 0.0, 0
    for i in range(p.shape[0]):
      for j in range(p.shape[1]):
        if not padding[i,j]:
            s = s + ((p[i, j]
                      - y[i, j]) ** 2).mean()
            n += 1
    return s / max(n, 1)
"""
VECTOR = """def action_loss(pred, target, is_pad):
    keep = (~is_pad).unsqueeze(-1).float()
    error = (pred - target).square() * keep
    return error.sum() / (keep.sum() * pred.shape[-1]).clamp(min=1)
"""
LIBRARY = """def action_loss(pred, target, is_pad):
    valid = torch.logical_not(is_pad)
    chosen = [torch.nn.functional.mse_loss(a[m], b[m]) for a, b, m in zip(pred, target, valid) if m.any()]
    return torch.stack(chosen).mean() if len(chosen) > 0 else pred.new_zeros(())
"""
STUB = 'def action_loss(pred, target, is_pad):\n    raise NotImplementedError("loss: write your answer here")'


def submission(student: str, *answers: str) -> SubmissionResult:
    tasks = [TaskResult(f"task-{i}", "A task", 1, 1, answer) for i, answer in enumerate(answers)]
    return SubmissionResult(student, "week08_x", "key", 1, "bubblewrap", "", "", [], 1.0, tasks)


def pairs(*answers: str, template: str = STUB) -> set[frozenset[str]]:
    found = similar_pairs([submission(f"s{i}", answer) for i, answer in enumerate(answers)], {"task-0": template})
    return {frozenset((pair.first, pair.second)) for pair in found}


def test_new_names_comments_and_layout_change_nothing():
    assert tokens(LOOP) == tokens(COPY)


def test_what_a_library_calls_its_parts_is_kept():
    assert tokens('y = np.mean(x, axis=0)  # "') == ["v", "=", "v", ".", "mean", "(", "v", ",", "v", "=", "0", ")"]
    assert tokens("if not f'{a}' else rb'b' \"c\"") == ["if", "not", "else"]


def test_a_renamed_copy_is_found_and_independent_answers_are_not():
    assert pairs(LOOP, COPY, VECTOR, LIBRARY) == {frozenset(("s0", "s1"))}


def test_a_pair_says_how_much_and_where():
    (pair,) = similar_pairs([submission("a", VECTOR, LOOP + LOOP), submission("b", LIBRARY, COPY + COPY)], {})
    assert (pair.first, pair.second, pair.tasks[0]) == ("a", "b", "task-1")
    assert 0.6 <= pair.share < 1
    assert pair.fingerprints >= len(fingerprints(LOOP))


def test_the_code_that_everybody_was_given_does_not_count():
    given_code = LOOP.replace("total / max(count, 1)", "total")
    mine, theirs = given_code + "\nprint(1 + 2)", given_code + "\nx = [3]"
    assert pairs(mine, theirs, template=given_code) == set()
    assert pairs(mine, theirs) == {frozenset(("s0", "s1"))}


def test_what_more_than_half_of_a_class_wrote_does_not_count():
    copies = [LOOP] * 3
    assert len(pairs(*copies, VECTOR)) == 3  # a class of four
    assert pairs(*copies, VECTOR, LIBRARY) == set()  # three of five
    assert len(pairs(*copies, VECTOR, LIBRARY, "x = 1")) == 3  # three of six


def test_stubs_and_short_answers_are_not_flagged():
    short = "def f(x, mean, std):\n    return (x - mean) / (std + 1e-6)"
    assert len(fingerprints(short)) < FEWEST
    assert pairs(short, short) == set()
    assert pairs(STUB, STUB) == set()
    assert pairs("", "") == set()


def test_the_order_of_the_class_does_not_matter():
    answers = [LOOP, VECTOR, COPY, LIBRARY, VECTOR + "\n", "x = 1", ""]
    named = [submission(f"s{i}", answer) for i, answer in enumerate(answers)]
    shuffled = random.Random(0).sample(named, len(named))
    first, second = ({frozenset((p.first, p.second)) for p in similar_pairs(c, {})} for c in (named, shuffled))
    assert first == second == {frozenset(("s0", "s2")), frozenset(("s1", "s4"))}


@given(st.text())
def test_any_text_has_fingerprints(text):
    assert len(fingerprints(text)) <= max(1, len(tokens(text)))


@pytest.mark.parametrize(
    "text", ["'''", '"' * 9999, "\\" * 9999, "'''\\" * 999, "\x00\ud800é", "def f(:\n  x = (", "0x 1_ .5."]
)
def test_text_that_is_not_python_does_not_stop_it(text):
    assert pairs(LOOP + text, COPY + text, text, text) >= {frozenset(("s0", "s1"))}


@given(
    st.lists(st.sampled_from("+-*/%&|^~<>"), min_size=K + WINDOW - 1, max_size=K + WINDOW - 1),
    st.lists(st.sampled_from("()[]{}"), max_size=30),
    st.lists(st.sampled_from(",;:@="), max_size=30),
)
def test_a_shared_run_is_never_missed(run, before, after):
    """The guarantee of winnowing: a run of K + WINDOW - 1 tokens in common is a fingerprint in common."""
    one, other = " ".join([*before, *run, *after]), " ".join([*after, *run, *before])
    assert fingerprints(one) & fingerprints(other)


def test_a_large_class_is_compared_whole():
    chance = random.Random(1)
    own = [
        "\n".join(f"y = {chance.choice('+-~')} x.{chance.randrange(10**9)}f({i})" for i in range(40))
        for _ in range(300)
    ]
    own[200] = own[100].replace("y", "result")
    found = similar_pairs([submission(f"s{i}", answer) for i, answer in enumerate(own)], {})
    assert [(p.first, p.second, p.share) for p in found] == [("s100", "s200", 1.0)]
