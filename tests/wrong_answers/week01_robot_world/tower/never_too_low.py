# says: it is the size of the difference that counts
import numpy as np


def tower(positions, edges, order, hand):
    """Goal conditions of a tower, by name: "standing", "stacked", "hand_clear"."""
    lowest, highest = order[0], order[-1]
    stacked = True
    for below, above in zip(order, order[1:]):
        offset = positions[above] - positions[below]
        height = (edges[above] + edges[below]) / 2
        stacked = stacked and np.linalg.norm(offset[:2]) < 0.025 and abs(offset[2] - height) < 0.008
    return {
        "standing": bool(positions[lowest][2] - edges[lowest] / 2 < 0.008),
        "stacked": bool(stacked),
        "hand_clear": bool(np.linalg.norm(hand - positions[highest]) > 0.08),
    }
