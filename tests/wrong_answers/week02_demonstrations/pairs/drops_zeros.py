# says: 0 is an action, too
def pairs(pictures, actions):
    return [(pictures[i - 1], a) for i, a in enumerate(actions) if a]
