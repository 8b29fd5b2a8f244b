# says: not when the pause has been noticed
def demonstrations(position, gripper, rate, pause, shortest):
    pieces, first, quiet = [], None, 0
    for t in range(len(position) - 1):
        speed = sum((position[t + 1] - position[t]) ** 2) ** 0.5 * rate
        if speed > 0.02 or gripper[t + 1] != gripper[t]:
            first, quiet = t if first is None else first, 0
        else:
            quiet += 1
            if first is not None and quiet / rate >= pause:
                pieces.append((first, t))
                first = None
    if first is not None:
        pieces.append((first, len(position) - 1))
    return [piece for piece in pieces if (piece[1] - piece[0]) / rate >= shortest]
