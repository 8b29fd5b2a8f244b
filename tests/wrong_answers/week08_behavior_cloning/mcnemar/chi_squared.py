# says: this is the chi-squared approximation
import math


def mcnemar(first, second):
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    if only_first == only_second:
        return 1.0
    chi = (only_first - only_second) ** 2 / (only_first + only_second)
    return math.erfc(math.sqrt(chi / 2))
