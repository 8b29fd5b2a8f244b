"""What a check cell prints helps, and never ends in a traceback."""

import contextlib
import io
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vla_course.checks import compare

finite = st.floats(-1e6, 1e6)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text(max_size=5) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(st.integers(), inner, max_size=2),
    max_leaves=6,
)


@pytest.mark.parametrize(
    "value, expected, line",
    [
        (0.41250001, 0.4125, "0.4125, as expected"),
        (0.75, 0.4125, "0.7500, expected 0.4125"),
        (0.00121, 0.00122, "0.001210, expected 0.001220"),
        (-1e-9, 0.0, "0.0000, as expected"),
        (float("nan"), 0.5, "nan, expected 0.5000"),
        (True, True, "True, as expected"),
        (3, 2, "3, expected 2"),
        ("pick", "place", "pick, expected place"),
        (["a", "b"], ["a", "b"], "[a, b], as expected"),
        (torch.tensor([[0.5]], requires_grad=True), [[0.5]], "[[0.5000]], as expected"),
        ([torch.tensor(1.0), torch.tensor(2.0)], [1.0, 3.0], "[1.0000, 2.0000], expected [1.0000, 3.0000]"),
        (np.zeros((8, 7)), np.zeros((8, 5, 7)), "expected shape (8, 5, 7), got (8, 7)"),
        (None, 0.5, "expected a number, got NoneType: does your function return its result?"),
        ("0.5", 0.5, "expected a number, got text"),
        (True, 1.0, "expected a number, got True or False"),
        ([[1.0], [2.0, 3.0]], [1.0], "expected a number, got list"),
        (torch.nn.Linear(1, 1), 0.5, "expected a number, got Linear"),
    ],
)
def test_the_line_shows_both_values_or_what_is_wrong_with_one(value, expected, line):
    assert printed(value, expected) == f"x: {line}\n"


@pytest.mark.parametrize(
    "value, expected, mistakes, cause",
    [
        (0.75000001, 0.4125, {0.75: "inverted"}, "inverted"),
        (math.nan, 1.0, {math.nan: "0 / 0"}, "0 / 0"),
        (False, True, {False: "not shuffled"}, "not shuffled"),
        (torch.ones(2, 3), np.ones(3), [(np.ones((2, 3)), "wrong axis")], "wrong axis"),
        (np.array([1.0, 2.0]), [2.0, 1.0], [([1.0, 2.0], "swapped"), ([1.0, 2.0], "second")], "swapped"),
    ],
)
def test_a_known_mistake_is_named(value, expected, mistakes, cause):
    assert printed(value, expected, mistakes).endswith(f": {cause}\n")
    assert cause not in printed(expected, expected, mistakes)


@given(st.lists(finite, min_size=1, max_size=4), st.floats(-1e-7, 1e-7))
def test_float_noise_changes_no_digit(numbers, noise):
    assert printed([n * (1 + noise) for n in numbers], numbers) == printed(numbers, numbers)


@given(finite, finite)
def test_two_numbers_are_as_expected_or_look_different(value, expected):
    line = printed(value, expected).removeprefix("x: ").rstrip()
    got, _, wanted = line.partition(", expected ")
    assert line.endswith(", as expected") == (abs(value - expected) <= 1e-6 + 1e-4 * abs(expected))
    assert line.endswith(", as expected") or got != wanted


@given(ANYTHING, st.sampled_from([0.5, True, "text", [1.0, 2.0], np.zeros((2, 3))]))
def test_any_value_gives_one_readable_line(value, expected):
    line = printed(value, expected)
    assert line.startswith("x: ") and "expected" in line
    assert line.endswith("\n") and line[:-1].isprintable()


def printed(value, expected, mistakes=None) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        compare("x", value, expected, mistakes)
    return out.getvalue()
