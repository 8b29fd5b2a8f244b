# says: does your function return
def pairs(pictures, actions):
    rows = []
    for i in range(1, len(actions)):
        if actions[i] is not None:
            rows.append((pictures[i - 1], actions[i]))
