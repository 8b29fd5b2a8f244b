# says: p does not know which policy is the new one
import math


def mcnemar(first, second):
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    n, k = only_first + only_second, only_first
    return min(1.0, 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2**n)
