import math


def tower(positions, edges, order, hand):
    def close(i, j):
        (x, y, z), (a, b, c) = positions[i].tolist(), positions[j].tolist()
        return math.hypot(x - a, y - b) < 0.025 and -0.008 < z - c - edges[i] / 2 - edges[j] / 2 < 0.008

    top = order[-1]
    return {
        "hand_clear": math.dist(hand, positions[top]) > 0.08,
        "stacked": all(close(order[k + 1], order[k]) for k in range(len(order) - 1)),
        "standing": math.isclose(positions[order[0]][2], edges[order[0]] / 2, abs_tol=0.008),
    }
