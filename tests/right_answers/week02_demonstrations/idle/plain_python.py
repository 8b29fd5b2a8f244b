import math


def kept(position, gripper, margin):
    last = len(position) - 2
    active = [
        t
        for t in range(last + 1)
        if math.dist(position[t], position[t + 1]) > 0.001 or abs(gripper[t + 1] - gripper[t]) > 0.02
    ]
    if active:
        return [max(active[0] - margin, 0), min(active[-1] + margin, last)]
