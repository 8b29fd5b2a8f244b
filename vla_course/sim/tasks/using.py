"""Tasks with a button and with a drawer; with the drawer also long ones, of two or three parts."""

import numpy as np

from vla_course.sim.fixtures import BUTTON_HEIGHT, DRAWER_FLOOR, DRAWER_SIZE, DRAWER_TRAVEL, HANDLE, SLOT
from vla_course.sim.objects import COLORS, GRASPABLE, Object
from vla_course.sim.tasks.base import (
    AREA,
    CLOSED,
    DISH_GAP,
    MIN_GAP,
    OPEN,
    Task,
    carry,
    hand_clear,
    places,
    plan,
    things,
    waypoint,
)
from vla_course.sim.world import Scene, World

PRESSED = 0.006  # metres the button must go down
IS_OPEN, IS_CLOSED = 0.08, 0.015  # metres the drawer must be out, or at most be out
CABINET_X = 0.37  # where its closed front stands; it opens toward the camera
FITTING = ("cube", "ball")  # a cylinder stands too high for the drawer
GRIP_HEIGHT = DRAWER_FLOOR + HANDLE[1] - 0.017  # where the fingers hold the peg


class PressButton(Task):
    """Press the button."""

    name = "press"
    grasps = False
    renames = False  # a cube cannot be pressed
    waypoints = 2
    phrasings = (
        "press the {target}",
        "push the {target} down",
        "hit the {target}",
        "press down on the {target}",
        "please press the {target}",
        "use the {target}",
    )
    held_out_phrasings = ("could you press the {target}", "give the {target} a push", "press and hold the {target}")

    def scene(self, rng: np.random.Generator) -> Scene:
        """A button and two graspable objects."""
        shapes = ["button", *(str(s) for s in rng.choice(GRASPABLE, size=2))]
        return Scene(things(rng, shapes, [DISH_GAP, MIN_GAP, MIN_GAP]), 0, None, str(rng.choice(self.phrasings)))

    def conditions(self, world: World) -> dict[str, bool]:
        """The cap is down, and it is the hand that presses."""
        button = world.scene.target
        return {
            "pressed": bool(world.slide(button) >= PRESSED),
            "touching": bool(world.contact_force(world.bodies[button]) > 0),
        }

    def expert(self, world: World) -> np.ndarray:
        """Above with the hand closed, and down."""
        x, y, _ = world.position(world.scene.target)
        return plan(waypoint(x, y, 0.12, 0.0, CLOSED), waypoint(x, y, BUTTON_HEIGHT - 0.012, 0.0, CLOSED))


class Drawer(Task):
    """Open the drawer, or close it."""

    renames = False

    def __init__(self, verb: str):
        self.name = f"{verb}_drawer"
        self.opens = verb == "open"
        pull = "pull" if self.opens else "push"
        way = "out" if self.opens else "in"
        self.phrasings = (
            f"{verb} the {{target}}",
            f"{pull} the {{target}} {verb if self.opens else 'shut'}",
            f"please {verb} the {{target}}",
            f"{pull} the {{target}} {way}",
            f"slide the {{target}} {verb if self.opens else 'shut'}",
            f"{pull} the handle of the {{target}}",
        )
        self.held_out_phrasings = (
            f"could you {verb} the {{target}}",
            f"the {{target}} should be {'open' if self.opens else 'closed'}",
            f"use the handle to {verb} the {{target}}",
        )

    def scene(self, rng: np.random.Generator) -> Scene:
        """A drawer, shut or open, and two graspable objects beside it."""
        objects = beside_drawer(rng, [str(s) for s in rng.choice(GRASPABLE, size=2)])
        slides = {} if self.opens else {0: DRAWER_TRAVEL - float(rng.uniform(0, 0.03))}
        return Scene(objects, 0, None, str(rng.choice(self.phrasings)), slides=slides)

    def allows(self, scene: Scene, item: Object) -> bool:
        """Not where the drawer goes."""
        return not before_drawer(scene.objects[0], item)

    def conditions(self, world: World) -> dict[str, bool]:
        """The drawer is out or in, and the hand is clear of it."""
        out = world.slide(world.scene.target)
        done = {"open": bool(out >= IS_OPEN)} if self.opens else {"closed": bool(out <= IS_CLOSED)}
        return {**done, "hand_clear": hand_clear(world)}

    def expert(self, world: World) -> np.ndarray:
        """Above the handle, down and close, pull or push, let go, up."""
        return plan(*slide_drawer(world, world.scene.target, DRAWER_TRAVEL if self.opens else 0.0))


class PutInDrawer(Task):
    """Open the drawer, put the named object into it, close the drawer."""

    name = "put_in_drawer"
    waypoints = 22  # open, carry, close; and one of them again
    keeps_shape = ("target",)  # what goes into the drawer must fit it
    phrasings = (
        "put the {target} in the {reference}",
        "store the {target} in the {reference}",
        "open the {reference} and put the {target} inside",
        "put the {target} away in the {reference}",
        "place the {target} in the {reference} and close it",
        "the {target} goes into the {reference}",
    )
    held_out_phrasings = (
        "could you put the {target} into the {reference}",
        "hide the {target} in the {reference}",
        "tidy the {target} away into the {reference}",
    )

    def scene(self, rng: np.random.Generator) -> Scene:
        """A shut drawer and two objects beside it."""
        objects = beside_drawer(rng, [str(s) for s in rng.choice(FITTING, size=2)])
        return Scene(objects, 1, 0, str(rng.choice(self.phrasings)))

    def allows(self, scene: Scene, item: Object) -> bool:
        """Not where the drawer goes."""
        return not before_drawer(scene.objects[0], item)

    def conditions(self, world: World) -> dict[str, bool]:
        """The target is in the drawer, the drawer is shut, the hand is clear."""
        return {
            "in_drawer": in_drawer(world, world.scene.target, world.scene.reference),
            "closed": bool(world.slide(world.scene.reference) <= IS_CLOSED),
            "hand_clear": hand_clear(world),
        }

    def expert(self, world: World) -> np.ndarray:
        """Close the drawer if the object is in it, open it if it is shut; else carry the object over it and down."""
        target, drawer = world.scene.target, world.scene.reference
        if in_drawer(world, target, drawer):
            return plan(*slide_drawer(world, drawer, 0.0))
        if world.slide(drawer) < IS_OPEN:
            return plan(*slide_drawer(world, drawer, DRAWER_TRAVEL))
        to = drawer_center(world, drawer)
        above, grasp, up, down, away = carry(world, target, to, DRAWER_FLOOR + 0.05)
        return plan(above, grasp, up, waypoint(*to, 0.16, up[5], CLOSED), down, away)


class TakeFromDrawer(Task):
    """Open the drawer and put the object that lies in it on the table."""

    name = "take_from_drawer"
    waypoints = 17  # open and carry; and one of them again
    keeps_shape = ("target",)  # what lies in the drawer must fit it
    renames = False  # only one object lies in it
    phrasings = (
        "take the {target} out of the {reference}",
        "get the {target} out of the {reference}",
        "open the {reference} and take out the {target}",
        "fetch the {target} from the {reference}",
        "take the {target} from the {reference}",
        "remove the {target} from the {reference}",
    )
    held_out_phrasings = (
        "could you take the {target} out of the {reference}",
        "the {target} is in the {reference}, get it",
        "bring me the {target} from the {reference}",
    )

    def scene(self, rng: np.random.Generator) -> Scene:
        """A shut drawer with one object in it, and another object on the table."""
        drawer, item, other = beside_drawer(rng, [str(s) for s in rng.choice(FITTING, size=2)])
        x, y = drawer.x - SLOT / 2, drawer.y
        item = Object(item.shape, item.color, x, y, 0.0, inside=0)
        return Scene((drawer, item, other), 1, 0, str(rng.choice(self.phrasings)))

    def allows(self, scene: Scene, item: Object) -> bool:
        """Neither where the drawer goes, nor where the object is put down."""
        to = free_spot(scene.objects[0], scene.objects[2:])
        return not before_drawer(scene.objects[0], item) and np.hypot(item.x - to[0], item.y - to[1]) > MIN_GAP

    def conditions(self, world: World) -> dict[str, bool]:
        """The target is out of the drawer and rests on the table; the hand is clear."""
        drawer, target = world.scene.objects[world.scene.reference], world.scene.target
        x, y, z = world.position(target)
        item = world.scene.objects[target]
        return {
            "out_of_drawer": not before_drawer(drawer, Object(item.shape, item.color, x, y, 0.0), gap=0.02),
            "on_table": bool(z < item.rest_height + 0.01),
            "hand_clear": hand_clear(world),
        }

    def expert(self, world: World) -> np.ndarray:
        """Open the drawer if it is shut; else carry the object up, over the table and down."""
        target, drawer = world.scene.target, world.scene.reference
        if world.slide(drawer) < IS_OPEN and in_drawer(world, target, drawer):
            return plan(*slide_drawer(world, drawer, DRAWER_TRAVEL))
        to = free_spot(world.scene.objects[drawer], world.scene.objects[2:])
        above, grasp, up, down, away = carry(world, target, to, world.scene.objects[target].rest_height + 0.004)
        return plan(above, grasp, up, waypoint(*to, 0.15, up[5], CLOSED), down, away)


def beside_drawer(rng: np.random.Generator, shapes: list[str]) -> tuple[Object, ...]:
    """A drawer on one side of the table, and objects that do not stand in its way."""
    colors = rng.choice(list(COLORS), size=1 + len(shapes), replace=False)
    side = float(rng.choice([-1.0, 1.0]))
    drawer = Object("drawer", str(colors[0]), CABINET_X, side * float(rng.uniform(0.09, 0.13)), 0.0)
    area = AREA.copy()
    area[1] = sorted((drawer.y - side * 0.15, -side * 0.19))
    yaws = rng.uniform(-np.pi / 4, np.pi / 4, size=len(shapes))
    centers = places(rng, [MIN_GAP] * len(shapes), area)
    items = [Object(shape, str(color), float(x), float(y), float(yaw))
             for shape, color, (x, y), yaw in zip(shapes, colors[1:], centers, yaws, strict=True)]  # fmt: skip
    return (drawer, *items)


def before_drawer(drawer: Object, item: Object, gap: float = 0.06) -> bool:
    """Whether something stands where the drawer is or goes."""
    ahead = item.x < drawer.x + DRAWER_TRAVEL + HANDLE[0] + gap
    return bool(ahead and abs(item.y - drawer.y) < DRAWER_SIZE[1] / 2 + gap)


def free_spot(drawer: Object, others: tuple[Object, ...]) -> np.ndarray:
    """Where an object can be put down: the place beside the drawer that is farthest from the others; (2,) metres."""
    side = np.sign(drawer.y)
    spots = [np.array([x, y]) for x in (0.42, 0.50, 0.58) for y in (-side * 0.06, -side * 0.15)]
    return max(spots, key=lambda spot: min((np.hypot(o.x - spot[0], o.y - spot[1]) for o in others), default=0.0))


def drawer_center(world: World, drawer: int) -> np.ndarray:
    """Middle of the drawer's front part as it stands now: (2,) metres."""
    x, y, _ = world.position(drawer)
    return np.array([x - SLOT / 2 + world.slide(drawer), y])


def in_drawer(world: World, index: int, drawer: int) -> bool:
    """Whether an object lies in the drawer."""
    position = world.position(index)
    offset = np.abs(position[:2] - drawer_center(world, drawer))
    return bool((offset < np.array([SLOT, DRAWER_SIZE[1]]) / 2).all() and position[2] < DRAWER_FLOOR + DRAWER_SIZE[2])


def slide_drawer(world: World, drawer: int, to: float) -> list[list[float]]:
    """Five waypoints that take the handle and slide the drawer until it is `to` metres open."""
    x, y, _ = world.position(drawer)
    x += HANDLE[0]
    now = x + world.slide(drawer)
    return [
        waypoint(now, y, 0.16, 0.0, OPEN),
        waypoint(now, y, GRIP_HEIGHT, 0.0, CLOSED),
        waypoint(x + to, y, GRIP_HEIGHT, 0.0, CLOSED),
        waypoint(x + to, y, GRIP_HEIGHT, 0.0, OPEN),
        waypoint(x + to, y, 0.16, 0.0, OPEN),
    ]
