# says: cutting off the decimals is not the nearest
import numpy as np


def uniform_edges(bins):
    return np.linspace(-1, 1, bins + 1)


def quantile_edges(values, bins):
    return np.quantile(values, np.linspace(0, 1, bins + 1))


def to_tokens(values, edges):
    inside = np.clip(values, edges[0], edges[-1])
    return ((inside - edges[0]) / (edges[-1] - edges[0]) * (len(edges) - 2)).astype(int)


def to_values(tokens, edges):
    return ((edges[:-1] + edges[1:]) / 2)[tokens]
