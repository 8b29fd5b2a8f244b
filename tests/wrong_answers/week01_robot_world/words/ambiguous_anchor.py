# says: the other object must be named
def own_words(objects, index):
    for properties in (["shape"], ["color", "shape"], ["size", "shape"], ["size", "color", "shape"]):
        alike = [o for o in objects if all(o[p] == objects[index][p] for p in properties)]
        if len(alike) == 1:
            return " ".join(objects[index][p] for p in properties)
    return None


def words(objects, index):
    item = objects[index]
    if found := own_words(objects, index):
        return found
    for side, sign in (("left of", -1), ("right of", 1)):
        for i in range(len(objects)):
            anchor = own_words(objects, i) or objects[i]["shape"]
            if i == index:
                continue
            there = [o for o in objects if o["shape"] == item["shape"] and sign * (o["u"] - objects[i]["u"]) > 0.05]
            if there == [item]:
                return f"{item['shape']} {side} the {anchor}"
    return None
