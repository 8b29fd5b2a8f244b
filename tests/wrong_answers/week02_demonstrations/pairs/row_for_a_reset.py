# says: a reset is no action
def pairs(pictures, actions):
    return list(zip(pictures[:-1], actions[1:]))
