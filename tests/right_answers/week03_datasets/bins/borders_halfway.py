import numpy as np


def uniform_edges(bins):
    return -1 + 2 * np.arange(bins + 1) / bins


def quantile_edges(values, bins):
    values, places = np.sort(values), np.arange(bins + 1) / bins * (len(values) - 1)
    return np.interp(places, np.arange(len(values)), values)


def to_tokens(values, edges):
    centers = edges[:-1] + np.diff(edges) / 2
    return np.searchsorted((centers[:-1] + centers[1:]) / 2, values)


def to_values(tokens, edges):
    return np.array([0.5 * edges[token] + 0.5 * edges[token + 1] for token in tokens])
