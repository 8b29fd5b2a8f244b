from scipy.stats import binomtest


def mcnemar(first, second):
    differ = [a for a, b in zip(first, second, strict=True) if a != b]
    return binomtest(sum(differ), len(differ)).pvalue if differ else 1.0
