import math


def demonstrations(position, gripper, rate, pause, shortest):
    pieces, first, last = [], None, None

    def close():
        if first is not None and (last + 1 - first) / rate >= shortest:
            pieces.append([first, last + 1])

    for t in range(len(position) - 1):
        fast = math.dist(position[t], position[t + 1]) > 0.02 / rate
        if fast or gripper[t] != gripper[t + 1]:
            if first is not None and (t - last - 1) / rate >= pause:
                close()
                first = None
            first, last = t if first is None else first, t
    close()
    return pieces
