# says: these bins have equal width
import numpy as np


def uniform_edges(bins):
    return np.linspace(-1, 1, bins + 1)


def quantile_edges(values, bins):
    return np.linspace(values.min(), values.max(), bins + 1)


def to_tokens(values, edges):
    centers = (edges[:-1] + edges[1:]) / 2
    return np.abs(values[:, None] - centers).argmin(1)


def to_values(tokens, edges):
    return ((edges[:-1] + edges[1:]) / 2)[tokens]
