# says: from two episodes
def pairs(pictures, actions):
    rows, before = [], pictures[0]
    for picture, action in zip(pictures, actions):
        if action is None:
            continue
        rows.append((before, action))
        before = picture
    return rows
