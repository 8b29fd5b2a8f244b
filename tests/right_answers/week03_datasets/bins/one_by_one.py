import numpy as np


def uniform_edges(bins):
    return np.array([-1 + k * 2 / bins for k in range(bins + 1)])


def quantile_edges(values, bins):
    return np.array([np.percentile(values, 100 * k / bins) for k in range(bins + 1)])


def to_tokens(values, edges):
    tokens = []
    for value in values:
        distances = [abs(value - (low + high) / 2) for low, high in zip(edges[:-1], edges[1:], strict=True)]
        tokens.append(distances.index(min(distances)))
    return np.array(tokens)


def to_values(tokens, edges):
    return np.take((edges[1:] + edges[:-1]) / 2, tokens)
