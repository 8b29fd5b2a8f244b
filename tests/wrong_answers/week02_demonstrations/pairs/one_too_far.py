# says: the action after the next
def pairs(pictures, actions):
    return [(p, a) for p, a in zip(pictures, actions[2:])]
