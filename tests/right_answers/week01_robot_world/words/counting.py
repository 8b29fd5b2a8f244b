from collections import Counter


def said(thing, use):
    return " ".join(thing[name] for name, wanted in zip(("size", "color", "shape"), use, strict=True) if wanted)


def words(objects, index):
    names = []
    for thing in objects:
        short = None
        for use in ((1, 1, 1), (1, 0, 1), (0, 1, 1), (0, 0, 1)):
            if Counter(said(o, use) for o in objects)[said(thing, use)] == 1:
                short = said(thing, use)
        names.append(short)
    if names[index] is not None:
        return names[index]
    mine = [k for k, o in enumerate(objects) if o["shape"] == objects[index]["shape"]]
    for side in ("left of", "right of"):
        for k, name in enumerate(names):
            if name is None:
                continue
            if side == "left of":
                beside = [j for j in mine if objects[j]["u"] < objects[k]["u"] - 0.05]
            else:
                beside = [j for j in mine if objects[j]["u"] > objects[k]["u"] + 0.05]
            if beside == [index]:
                return objects[index]["shape"] + " " + side + " the " + name
