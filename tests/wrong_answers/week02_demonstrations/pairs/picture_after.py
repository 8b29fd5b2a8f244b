# says: taken after the action
def pairs(pictures, actions):
    return [(p, a) for p, a in zip(pictures, actions) if a is not None]
