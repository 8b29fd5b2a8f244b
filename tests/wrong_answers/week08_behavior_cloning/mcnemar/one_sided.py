# says: in the other direction counts too
import math


def mcnemar(first, second):
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    n, k = only_first + only_second, min(only_first, only_second)
    return sum(math.comb(n, i) for i in range(k + 1)) / 2**n
