# says: in the horizontal plane
import numpy as np


def tower(positions, edges, order, hand):
    lowest, highest = order[0], order[-1]
    stacked = True
    for below, above in zip(order, order[1:]):
        offset = positions[above] - positions[below]
        height = (edges[above] + edges[below]) / 2
        stacked = stacked and np.linalg.norm(offset) < 0.025 and abs(offset[2] - height) < 0.008
    return {
        "standing": bool(abs(positions[lowest][2] - edges[lowest] / 2) < 0.008),
        "stacked": bool(stacked),
        "hand_clear": bool(np.linalg.norm(hand - positions[highest]) > 0.08),
    }
