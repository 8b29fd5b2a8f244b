"""Honest numbers: a success rate with its interval, and a paired comparison."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True)
class SuccessRate:
    """k successes in n trials.

    Attributes:
        successes, trials: k and n.
    """

    successes: int
    trials: int

    @property
    def rate(self) -> float:
        """k / n."""
        return self.successes / self.trials

    @property
    def wilson_95(self) -> tuple[float, float]:
        """Wilson's 95% interval (Wilson 1927): the success probabilities that fit what was seen."""
        n, p, z = self.trials, self.rate, NormalDist().inv_cdf(0.975)
        center = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
        return min(p, max(0.0, center - half)), max(p, min(1.0, center + half))  # p is inside, also after rounding

    def __str__(self) -> str:
        low, high = self.wilson_95
        return f"{self.successes}/{self.trials} [{low:.3f}, {high:.3f}]"

    def to_json(self) -> dict:
        """For reports: trials, successes, wilson_95."""
        return {
            "trials": self.trials,
            "successes": self.successes,
            "wilson_95": [round(bound, 4) for bound in self.wilson_95],
        }


def success_rate(outcomes: Sequence[bool]) -> SuccessRate:
    """Count the successes."""
    return SuccessRate(sum(outcomes), len(outcomes))


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> float:
    """McNemar's exact test: could two policies that ran on the same scenes be equally good?

    Only the scenes where they differ say anything. If the two were equal, each of these would go to either side
    with probability one half (McNemar 1947).

    Args:
        first, second: outcomes on the same scenes, in the same order.

    Returns:
        The two-sided p-value.
    """
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    if only_first + only_second == 0:
        return 1.0
    from scipy.stats import binomtest  # its import takes a second or two

    return float(binomtest(only_first, only_first + only_second).pvalue)
