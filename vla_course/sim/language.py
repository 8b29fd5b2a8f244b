"""Which words single out one object: by color, shape, size, or where it stands."""

from collections.abc import Sequence

from vla_course.sim.objects import GRASPABLE, Object

KINDS = ("name", "color", "shape", "size", "left", "right", "front", "behind")
NOTICEABLE = 0.10  # how much two sizes must differ, of the usual size
APART = 0.06  # metres between two objects of which one is called left of the other


def describe(objects: Sequence[Object], index: int, kind: str) -> str | None:
    """Words that fit one object of a scene and no other.

    Args:
        objects: the scene's.
        index: which of them.
        kind: "name" ("red cube"), "color" ("red object"), "shape" ("cube"), "size" ("small red cube"), or a relation:
            "left" ("ball left of the red cube"), "right", "front" ("in front of"), "behind". Left, right and front are
            those of the front camera's picture.

    Returns:
        The words, without "the"; None where no such words single it out.
    """
    item = objects[index]
    others = [other for i, other in enumerate(objects) if i != index]
    if kind == "name":
        return item.name if all(other.name != item.name for other in others) else None
    if kind == "color":
        return f"{item.color} object" if all(other.color != item.color for other in others) else None
    if kind == "shape":
        return item.shape if all(other.shape != item.shape for other in others) else None
    if kind == "size":
        return _by_size(item, others)
    return _by_place(item, objects, kind)


def _by_size(item: Object, others: list[Object]) -> str | None:
    """The smallest or largest of its kind, by color and shape or else by shape."""
    for words, alike in (
        (item.name, [other for other in others if other.name == item.name]),
        (item.shape, [other for other in others if other.shape == item.shape]),
    ):
        if alike and item.shape in GRASPABLE:
            if all(other.size - item.size > NOTICEABLE for other in alike):
                return f"small {words}"
            if all(item.size - other.size > NOTICEABLE for other in alike):
                return f"big {words}"
    return None


def _by_place(item: Object, objects: Sequence[Object], kind: str) -> str | None:
    """Beside an object that its name singles out, with no other of the same shape on that side."""
    words = {"left": "left of", "right": "right of", "front": "in front of", "behind": "behind"}[kind]
    for i, anchor in enumerate(objects):
        if anchor is not item and describe(objects, i, "name"):
            there = [other for other in objects if other.shape == item.shape and _beside(other, anchor, kind)]
            if there == [item] and anchor.shape != item.shape:
                return f"{item.shape} {words} the {anchor.name}"
    return None


def _beside(item: Object, anchor: Object, kind: str) -> bool:
    """The front camera faces the robot: its left is -y, and what stands in front has the larger x."""
    across, along = item.y - anchor.y, item.x - anchor.x
    return {"left": -across, "right": across, "front": along, "behind": -along}[kind] > APART
