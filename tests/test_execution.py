"""Plans are carried out as far as they should be, and averaged with the weights that ACT states."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vla_course.errors import CourseError
from vla_course.models.execution import RecedingHorizon, TemporalEnsemble, ensemble_weights

lengths = st.integers(1, 9)


def chunks_of(count: int, chunk: int, seed: int = 0) -> torch.Tensor:
    """What a policy plans at each moment: (count, chunk, 3)."""
    return torch.randn(count, chunk, 3, generator=torch.Generator().manual_seed(seed))


def carry_out(execution, chunks: torch.Tensor) -> tuple[torch.Tensor, list[int]]:
    """All actions, and the moments at which a plan was asked for."""
    asked, actions = [], []
    for moment in range(len(chunks)):

        def plan(moment=moment):
            asked.append(moment)
            return chunks[moment]

        actions.append(execution.next(plan))
    return torch.stack(actions), asked


@given(lengths, st.data())
def test_k_actions_of_each_plan_are_carried_out_in_order(chunk, data):
    k = data.draw(st.integers(1, chunk))
    chunks = chunks_of(20, chunk)
    actions, asked = carry_out(RecedingHorizon(k), chunks)
    assert asked == list(range(0, 20, k))
    assert torch.equal(actions, torch.stack([chunks[t - t % k, t % k] for t in range(20)]))


@given(lengths)
def test_all_of_a_chunk_is_open_loop(chunk):
    chunks = chunks_of(20, chunk)
    every, asked = carry_out(RecedingHorizon(chunk), chunks)
    open_loop, asked_open = carry_out(RecedingHorizon(), chunks)
    assert torch.equal(every, open_loop) and asked == asked_open
    assert torch.equal(open_loop, chunks[::chunk].flatten(0, 1)[:20])


@given(st.integers(1, 50), st.floats(-1, 1))
def test_ensemble_weights_sum_to_one_and_follow_their_law(count, decay):
    weights = ensemble_weights(count, decay)
    assert weights.sum().item() == pytest.approx(1, abs=1e-5)
    assert torch.allclose(weights[1:] / weights[:-1], torch.tensor(np.exp(-decay), dtype=torch.float32), rtol=1e-3)


@given(lengths, st.floats(0, 1))
def test_the_ensemble_of_equal_plans_is_that_plan(chunk, decay):
    truth = chunks_of(1, 20 + chunk)[0]  # what every plan says of each moment
    chunks = torch.stack([truth[t : t + chunk] for t in range(20)])
    actions, asked = carry_out(TemporalEnsemble(decay), chunks)
    assert asked == list(range(20))
    assert torch.allclose(actions, truth[:20], atol=1e-5)


@given(lengths, st.floats(0, 1))
def test_the_ensemble_is_that_of_acts_table_of_all_plans(chunk, decay):
    chunks = chunks_of(15, chunk)
    # ACT's way: a table with a row for each plan and a column for each moment; the filled rows, oldest first.
    table = np.full((15, 15 + chunk, 3), np.nan)
    actions, _ = carry_out(TemporalEnsemble(decay), chunks)
    for t in range(15):
        table[t, t : t + chunk] = chunks[t]
        votes = table[: t + 1, t][~np.isnan(table[: t + 1, t, 0])]
        weights = np.exp(-decay * np.arange(len(votes)))
        assert np.allclose(actions[t], (votes * weights[:, None]).sum(0) / weights.sum(), atol=1e-5)


def test_with_acts_decay_the_oldest_plan_weighs_most():
    weights = ensemble_weights(4, 0.01)
    assert torch.equal(weights.sort(descending=True).values, weights) and weights[0] > weights[3]


@pytest.mark.parametrize("make", [lambda: RecedingHorizon(2), RecedingHorizon, TemporalEnsemble])
def test_a_batch_is_carried_out_row_by_row_and_a_reset_forgets(make):
    batch, single, used = make(), make(), make()
    chunks = chunks_of(10, 4).view(5, 2, 4, 3)  # 5 moments, 2 robots
    used.next(lambda: chunks_of(1, 4, seed=7))
    used.reset()
    for chunk in chunks:
        action = batch.next(lambda c=chunk: c)
        assert torch.allclose(action[1], single.next(lambda c=chunk: c[1]), atol=1e-6)
        assert torch.equal(action, used.next(lambda c=chunk: c))


def test_what_cannot_be_carried_out_is_refused():
    with pytest.raises(CourseError, match="execute=0.*1 action"):
        RecedingHorizon(0)
    with pytest.raises(CourseError, match="execute=5 of a chunk of 4.*at most"):
        RecedingHorizon(5).next(lambda: torch.zeros(4, 7))
