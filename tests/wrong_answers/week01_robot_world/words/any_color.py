# says: so they fit a cube of any color


def own_words(objects, index):
    """The shortest words for objects[index] from its own size, color and shape; None if they fit others, too."""
    for properties in (["shape"], ["color", "shape"], ["size", "shape"], ["size", "color", "shape"]):
        alike = [o for o in objects if all(o[p] == objects[index][p] for p in properties)]
        if len(alike) == 1:
            return " ".join(objects[index][p] for p in properties)
    return None


def words(objects, index):
    """The shortest words that fit objects[index] and nothing else on the table; None if there are none."""
    item = objects[index]
    if found := own_words(objects, index):
        return found
    for side, sign in (("left of", -1), ("right of", 1)):
        for i in range(len(objects)):
            anchor = own_words(objects, i)
            if i == index or anchor is None:
                continue
            there = [
                o
                for o in objects
                if all(o[p] == item[p] for p in ("size", "color", "shape")) and sign * (o["u"] - objects[i]["u"]) > 0.05
            ]
            if there == [item]:
                return f"{item['shape']} {side} the {anchor}"
    return None
