def pairs(pictures, actions):
    rows, before = [], None
    for picture, action in zip(pictures, actions, strict=True):
        if not isinstance(action, type(None)):
            rows.append([before, action])
        before = picture
    return rows
