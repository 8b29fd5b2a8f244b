import math


def normalization(plans):
    rows = [row for plan in plans for row in plan]
    mean, std = [], []
    for column in range(7):
        values = [float(row[column]) for row in rows]
        middle = sum(values) / len(values)
        spread = math.sqrt(sum((value - middle) ** 2 for value in values) / len(values))
        mean.append(middle)
        std.append(spread if spread > 1e-3 else 1.0)
    return mean, std
