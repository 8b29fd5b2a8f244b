import numpy as np


def normalizer(rows, trains, kind):
    offset, scale = [], []
    for column in rows[trains].T:
        values = sorted(float(value) for value in column)
        if kind == "mean_std":
            middle = sum(values) / len(values)
            half = (sum((value - middle) ** 2 for value in values) / len(values)) ** 0.5
        else:
            low, high = values[0], values[-1]
            if kind == "quantiles":
                low, high = np.percentile(values, 1), np.percentile(values, 99)
            middle, half = (low + high) / 2, (high - low) / 2
        offset.append(middle)
        scale.append(half if half > 0.001 else 1.0)
    return np.array(offset), np.array(scale)


def restore(normalized, offset, scale):
    return offset + scale * normalized
