"""Actions come back from their tokens within the bound that the docstrings prove."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vla_course.data.action_tokens import ActionBins, openvla_bins, quantile_bins, uniform_bins
from vla_course.errors import CourseError

numbers = st.floats(-100, 100, width=32)
tables = arrays(np.float32, st.tuples(st.integers(1, 40), st.just(3)), elements=numbers)
counts = st.integers(1, 300)
ROUNDING = 1e-5  # float32, for numbers up to 100
ONE = np.ones(1)


def there_and_back(bins: ActionBins, actions: np.ndarray) -> np.ndarray:
    return bins.decode(bins.encode(actions)).astype(np.float64)


@settings(deadline=None)
@given(tables, arrays(np.float32, 3, elements=numbers), arrays(np.float32, 3, elements=numbers), counts)
def test_uniform_bins_err_by_half_a_bin_inside_and_clip_outside(actions, one, other, count):
    low, high = np.minimum(one, other).astype(np.float64), np.maximum(one, other).astype(np.float64)
    bins = uniform_bins(low, high, count)
    actions = actions.astype(np.float64)
    back = there_and_back(bins, actions)
    half = (high - low) / (2 * count)
    assert (np.abs(back - actions.clip(low, high)) <= half + ROUNDING).all()
    assert (back >= low + half - ROUNDING).all() and (back <= high - half + ROUNDING).all()
    assert (np.abs(back - actions) <= bins.error_bound(actions) + ROUNDING).all()


repeated = arrays(np.float32, st.tuples(st.integers(1, 60), st.just(3)), elements=st.sampled_from([-1, 0, 0.5, 1, 7]))


@settings(deadline=None)
@given(st.one_of(tables, repeated), tables, counts)
def test_quantile_bins_err_by_half_their_own_bin_at_most(recorded, others, count):
    bins = quantile_bins(recorded, count)
    recorded = recorded.astype(np.float64)
    for actions in (recorded, others):  # inside the range, and anywhere
        assert (np.abs(there_and_back(bins, actions) - actions) <= bins.error_bound(actions) + ROUNDING).all()
    # Inside, that is the width of a bin: some bin holds the action and is no narrower than twice the error.
    error = np.abs(there_and_back(bins, recorded) - recorded)
    for d, edges in enumerate(bins.edges):
        a = recorded[:, d, None]
        holds = (edges[:-1] - ROUNDING <= a) & (a <= edges[1:] + ROUNDING)
        assert (np.where(holds, np.diff(edges), -1).max(1) / 2 + ROUNDING >= error[:, d]).all()


@settings(deadline=None)
@given(st.one_of(tables, repeated), counts)
def test_the_token_is_the_one_whose_center_is_nearest(actions, count):
    for bins in (uniform_bins(actions.min(0), actions.max(0), count), quantile_bins(actions, count)):
        distances = np.abs(actions[:, :, None] - bins.centers)  # (N, 3, n), by comparing with every center
        chosen = np.take_along_axis(distances, bins.encode(actions)[..., None], axis=2)[..., 0]
        assert np.allclose(chosen, distances.min(2), atol=1e-9)


def test_values_that_repeat_come_back_exactly_from_quantile_bins():
    gripper = np.random.default_rng(0).choice([-1.0, 1.0], size=(500, 1))
    still = np.zeros((500, 1))
    actions = np.concatenate([gripper, still], axis=1)
    bins = quantile_bins(actions)
    assert np.array_equal(bins.decode(bins.encode(actions)), actions)


def test_quantile_bins_are_better_where_actions_are_common():
    actions = np.random.default_rng(0).normal(size=(5000, 1)) ** 3  # many small moves, few large ones
    error = {}
    for name, bins in (
        ("uniform", uniform_bins(actions.min(0), actions.max(0), 64)),
        ("quantile", quantile_bins(actions, 64)),
    ):
        error[name] = np.abs(bins.decode(bins.encode(actions)) - actions)
    assert np.median(error["quantile"]) < 0.1 * np.median(error["uniform"])
    assert error["quantile"].max() > error["uniform"].max()


@settings(deadline=None)
@given(arrays(np.float64, (20, 2), elements=st.floats(-3, 3, width=32)))
def test_openvlas_tokens_are_those_of_its_own_recipe(actions):
    q01, q99 = np.array([-1.5, 0.2]), np.array([2.0, 0.9])
    # The recipe of its code: percentiles to [-1, 1], clip, digitize, centers between the edges.
    edges = np.linspace(-1, 1, 256)
    normalized = np.clip(2 * (actions - q01) / (q99 - q01) - 1, -1, 1)
    index = np.clip(np.digitize(normalized, edges) - 1, 0, 254)
    decoded = ((edges[:-1] + edges[1:]) / 2)[index]
    bins = openvla_bins(q01, q99)
    ours = there_and_back(bins, actions)
    # On an edge two centers are equally near; then either is right.
    on_edge = np.abs(normalized[..., None] - edges).min(-1) < 1e-9
    assert np.allclose(np.where(on_edge, 0, 2 * (ours - q01) / (q99 - q01) - 1 - decoded), 0, atol=1e-6)


def test_openvla_never_decodes_a_full_step():
    bins = openvla_bins(-ONE, ONE)
    assert bins.centers.shape == (1, 255)
    assert np.allclose(bins.decode(bins.encode(np.array([[-1.0], [1.0]])))[:, 0], [-254 / 255, 254 / 255])


def test_truncating_biases_every_action_and_doubles_the_largest_error():
    # RT-1's public tokenizer: int(share * 255), which drops what follows the point, and back by share = token / 255.
    actions = np.random.default_rng(0).uniform(-1, 1, size=(200_000, 1))
    truncated = np.floor((actions + 1) / 2 * 255) / 255 * 2 - 1 - actions
    bins = uniform_bins(-ONE, ONE)
    nearest = bins.decode(bins.encode(actions)) - actions
    assert abs(truncated.mean() + 0.0039) < 1e-4 and abs(nearest.mean()) < 1e-4
    assert 1.9 < np.abs(truncated).max() / np.abs(nearest).max() < 2.1


def test_tensors_give_tensors_with_the_same_tokens():
    bins = quantile_bins(np.random.default_rng(0).normal(size=(100, 7)))
    actions = np.random.default_rng(1).normal(size=(4, 5, 7)).astype(np.float32)
    tokens = bins.encode(torch.from_numpy(actions))
    assert tokens.dtype == torch.int64 and np.array_equal(tokens, bins.encode(actions))
    back = bins.decode(tokens)
    assert back.dtype == torch.float32 and np.array_equal(back, bins.decode(bins.encode(actions)))


BINS = uniform_bins(-np.ones(7), np.ones(7))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: BINS.encode(np.zeros((2, 6))), r"\(2, 6\).*7 columns"),
        (lambda: BINS.encode(np.full(7, np.nan)), "not finite"),
        (lambda: BINS.decode(np.full(7, 256)), "0 to 255"),
        (lambda: BINS.decode(torch.full((7,), -1)), "0 to 255"),
        (lambda: BINS.decode(np.zeros(7)), "integers"),
        (lambda: uniform_bins(ONE, -ONE), "low <= high"),
        (lambda: uniform_bins(ONE, np.full(1, np.inf)), "low <= high"),
        (lambda: uniform_bins(-ONE, ONE, bins=0), "1 or more"),
        (lambda: quantile_bins(np.zeros((0, 7))), "N of 1 or more"),
        (lambda: quantile_bins(np.full((3, 7), np.nan)), "finite"),
    ],
)
def test_what_cannot_be_a_token_or_a_bin_is_refused(call, message):
    with pytest.raises(CourseError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
