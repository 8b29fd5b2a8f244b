# says: the sum goes from 0 to k
import math


def mcnemar(first, second):
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    n, k = only_first + only_second, min(only_first, only_second)
    return min(1.0, 2 * math.comb(n, k) / 2**n)
