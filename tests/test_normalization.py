"""Normalized numbers are those that the statistics promise, come back, and travel with the policy."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vla_course.data.normalization import LEAST, normalizer
from vla_course.data.store import statistics
from vla_course.errors import CourseError
from vla_course.evaluation.rollouts import load_policy
from vla_course.models.policy import VLAConfig, VLAPolicy

KINDS = ("mean_std", "min_max", "quantiles")
tables = arrays(np.float32, st.tuples(st.integers(1, 40), st.integers(1, 4)), elements=st.floats(-100, 100, width=32))


@given(tables, st.sampled_from(KINDS))
def test_every_kind_keeps_its_promise_and_comes_back(rows, kind):
    offset, scale = normalizer(statistics(rows), kind)
    assert offset.shape == scale.shape == rows.shape[1:] and offset.dtype == scale.dtype == np.float32
    normalized = (rows - offset) / scale
    assert np.allclose(normalized * scale + offset, rows, atol=1e-4)
    spread = {"mean_std": rows.std(0), "min_max": np.ptp(rows, axis=0) / 2}.get(
        kind, np.ptp(np.quantile(rows, [0.01, 0.99], axis=0), axis=0) / 2
    )
    still = spread < LEAST / 2
    assert (scale[still] == 1).all()  # a constant column is not blown up
    varied = normalized[:, spread > 0.1]  # where the six decimals of the statistics do not show
    if kind == "mean_std":
        assert np.allclose(varied.mean(0), 0, atol=1e-3) and np.allclose(varied.std(0), 1, atol=1e-3)
    elif kind == "min_max":
        assert np.allclose(varied.min(0), -1, atol=1e-3) and np.allclose(varied.max(0), 1, atol=1e-3)
    else:
        assert np.allclose(np.quantile(varied, [0.01, 0.99], axis=0), [[-1], [1]], atol=1e-3)


def test_one_wrong_recording_squeezes_min_max_and_not_quantiles():
    rows = np.random.default_rng(0).uniform(-1, 1, (1000, 1)).astype(np.float32)
    rows[0] = 500.0
    spread = {}
    for kind in KINDS:
        offset, scale = normalizer(statistics(rows), kind)
        spread[kind] = ((rows[1:] - offset) / scale).std()
        assert ((rows[0] - offset) / scale > 0.99).all()  # beyond 1 and not clipped, or what became 1
    assert spread["min_max"] < spread["mean_std"] < 0.1 < 0.5 < spread["quantiles"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_answers_in_the_units_of_the_data_and_keeps_them_on_disk(kind, tmp_path):
    rows = np.random.default_rng(0).uniform(-3, 5, (200, 7)).astype(np.float32)
    rows[:, 4] = 0.25  # a column that never varies
    found = {name: statistics(rows) for name in ("state", "action")}
    policy = VLAPolicy.seeded(VLAConfig(words=["cube"], normalization=kind), seed=0)
    policy.set_statistics(found)
    offset, scale = map(torch.from_numpy, normalizer(found["action"], kind))
    batch = {
        "observation.images.front": torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)),
        "observation.state": torch.from_numpy(rows[:2]),
        "task": ["cube", "cube"],
    }
    chunk = policy.predict_action_chunk(batch)
    assert torch.equal(chunk, policy.plan(batch)[0] * scale + offset)
    policy.save_pretrained(tmp_path)
    loaded = load_policy(tmp_path)
    assert loaded.config.normalization == kind and torch.equal(loaded.predict_action_chunk(batch), chunk)


@pytest.mark.parametrize(
    ("kind", "found", "message"),
    [
        ("z_score", {"mean": [0.0], "std": [1.0]}, "'z_score'.*mean_std, min_max, quantiles"),
        ("quantiles", {"mean": [0.0], "std": [1.0], "q01": [0.0]}, "lack q99, which normalization 'quantiles'"),
    ],
)
def test_what_cannot_be_normalized_is_named(kind, found, message):
    with pytest.raises(CourseError, match=message) as caught:
        normalizer(found, kind)
    assert "\n" not in str(caught.value)
