# says: end with the first episode
def pairs(pictures, actions):
    rows = []
    for i in range(1, len(actions)):
        if actions[i] is None:
            break
        rows.append((pictures[i - 1], actions[i]))
    return rows
