"""From chunks to actions: how much of a plan to carry out before planning again.

Whatever plans, it is asked through `plan()`, a function without arguments that returns a chunk (..., T, A) of tensors
for the present observation. It is called only when a new plan is needed. The result is one action (..., A), for one
control period: 0.1 s at 10 Hz.

    RecedingHorizon(execute=T)  all of the chunk with open eyes only at its start: open loop
    RecedingHorizon(execute=k)  the first k actions, then a new plan
    TemporalEnsemble()          a new plan for every action, averaged with the older plans for the same moment
"""

from collections import deque
from collections.abc import Callable

import torch
from torch import Tensor

from vla_course.errors import CourseError


class RecedingHorizon:
    """Plan T actions, carry out the first k, plan again (Chi et al. 2023, arXiv:2303.04137).

    A small k sees more: what went wrong is noticed sooner. A large k commits more: a policy that knows two ways does
    not change its mind at every step, pauses are got over, and the network runs less often.

    Args:
        execute: k; None carries out all of each chunk, open loop.

    Raises:
        CourseError: k is less than 1.
    """

    def __init__(self, execute: int | None = None):
        if execute is not None and execute < 1:
            raise CourseError(f"execute={execute}; carry out 1 action of each chunk or more")
        self.execute = execute
        self.reset()

    def reset(self) -> None:
        """Forget the plan; call it when an episode begins."""
        self._queue: deque[Tensor] = deque()

    def next(self, plan: Callable[[], Tensor]) -> Tensor:
        """The next action (..., A); asks for a chunk (..., T, A) when the last one is used up.

        Raises:
            CourseError: the chunk is shorter than k.
        """
        if not self._queue:
            chunk = plan()
            count = chunk.shape[-2] if self.execute is None else self.execute
            if count > chunk.shape[-2]:
                raise CourseError(f"execute={count} of a chunk of {chunk.shape[-2]} actions; execute at most that many")
            self._queue.extend(chunk[..., :count, :].unbind(-2))
        return self._queue.popleft()


class TemporalEnsemble:
    """Plan at every step; the action is the weighted mean of what all plans say about this moment.

    ACT's temporal ensembling (Zhao et al. 2023, arXiv:2304.13705, algorithm 2). It smooths; where plans disagree about
    the way, it also averages between the ways. A gripper that plans open and close together gets something between.

    Args:
        decay: m in the weights exp(-m * i), where i = 0 is the *oldest* plan: with ACT's 0.01, older plans weigh a
            little more. 0 weighs all alike; below 0, newer plans weigh more.
    """

    def __init__(self, decay: float = 0.01):
        self.decay = decay
        self.reset()

    def reset(self) -> None:
        """Forget all plans; call it when an episode begins."""
        self._plans: deque[Tensor] = deque()  # what is left of each, oldest first

    def next(self, plan: Callable[[], Tensor]) -> Tensor:
        """The next action (..., A); asks for a chunk (..., T, A) each time."""
        self._plans.append(plan())
        votes = torch.stack([chunk[..., 0, :] for chunk in self._plans], dim=-1)  # (..., A, plans)
        self._plans = deque(chunk[..., 1:, :] for chunk in self._plans if chunk.shape[-2] > 1)
        return votes @ ensemble_weights(votes.shape[-1], self.decay).to(votes)


def ensemble_weights(count: int, decay: float) -> Tensor:
    """Weights exp(-decay * i) of plans i = 0 (the oldest) to count - 1, scaled to sum to one: (count,)."""
    return (-decay * torch.arange(count)).softmax(0)
