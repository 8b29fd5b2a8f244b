"""Tasks that move the named object through the air: pick up, place, stack. And one that only touches it."""

import numpy as np

from vla_course.sim.objects import BOWL_RADIUS, CUBE_HALF, GRASPABLE, PLATE_RADIUS
from vla_course.sim.tasks.base import (
    CLOSED,
    DISH_GAP,
    MIN_GAP,
    OPEN,
    Task,
    carry,
    hand_clear,
    plan,
    things,
    waypoint,
)
from vla_course.sim.world import Scene, World

LIFT_HEIGHT = 0.15  # metres an object must rise to count as picked up


class PickUp(Task):
    """Lift the named object off the table."""

    name = "pick"
    phrasings = (
        "pick up the {target}",
        "pick the {target} up",
        "grab the {target}",
        "lift the {target}",
        "take the {target}",
        "please pick up the {target}",
        "get the {target}",
        "raise the {target} from the table",
    )
    held_out_phrasings = (
        "could you pick up the {target}",
        "lift up the {target} please",
        "grab hold of the {target}",
        "now fetch me the {target}",
    )

    def scene(self, rng: np.random.Generator) -> Scene:
        """Four graspable objects; any of them may be the target."""
        shapes = [str(s) for s in rng.choice(GRASPABLE, size=4)]
        objects = things(rng, shapes, [MIN_GAP] * 4)
        return Scene(objects, int(rng.integers(4)), None, str(rng.choice(self.phrasings)))

    def conditions(self, world: World) -> dict[str, bool]:
        """Both fingers hold the target, and it has risen by `LIFT_HEIGHT`."""
        target = world.scene.target
        risen = world.position(target)[2] - world.start_positions[target][2]
        return {"grasped": world.grasped(target), "lifted": bool(risen >= LIFT_HEIGHT)}

    def expert(self, world: World) -> np.ndarray:
        """Above, down, close, up, and up again."""
        x, y, z = world.position(world.scene.target)
        yaw = world.grasp_yaw(world.scene.target)
        return plan(
            waypoint(x, y, 0.15, yaw, OPEN),
            waypoint(x, y, 0.07, yaw, OPEN),
            waypoint(x, y, z, yaw, CLOSED),
            waypoint(x, y, 0.10, yaw, CLOSED),
            waypoint(x, y, 0.25, yaw, CLOSED),
        )


class Place(Task):
    """Put the named object into the bowl, or on the plate."""

    def __init__(self, name: str, dish: str, into: str):
        self.name, self.dish, self.condition = name, dish, f"{into}_{dish}"
        self.radius = {"bowl": BOWL_RADIUS, "plate": PLATE_RADIUS}[dish]
        inside = "inside" if dish == "bowl" else "onto"
        self.phrasings = (
            f"put the {{target}} {into} the {{reference}}",
            f"place the {{target}} {into} the {{reference}}",
            f"drop the {{target}} {into}to the {{reference}}",
            "move the {target} to the {reference}",
            f"put the {{target}} {into}to the {{reference}}",
            f"set the {{target}} down {into} the {{reference}}",
        )
        self.held_out_phrasings = (
            f"could you put the {{target}} {inside} the {{reference}}",
            f"the {{target}} belongs {into} the {{reference}}",
            f"please place the {{target}} {into}to the {{reference}}",
        )

    def scene(self, rng: np.random.Generator) -> Scene:
        """Two graspable objects and the dish."""
        shapes = [self.dish, *(str(s) for s in rng.choice(GRASPABLE, size=2))]
        objects = things(rng, shapes, [DISH_GAP, MIN_GAP, MIN_GAP])
        return Scene(objects, int(rng.integers(1, 3)), 0, str(rng.choice(self.phrasings)))

    def conditions(self, world: World) -> dict[str, bool]:
        """The target lies in the dish, and the hand is clear of it."""
        return {
            self.condition: in_dish(world, world.scene.target, world.scene.reference, self.radius),
            "hand_clear": hand_clear(world),
        }

    def expert(self, world: World) -> np.ndarray:
        """Above, down and close, up, over the dish and open, up."""
        to = world.position(world.scene.reference)[:2]
        return plan(*carry(world, world.scene.target, to, drop=0.085 if self.dish == "bowl" else 0.055))


def in_dish(world: World, index: int, dish: int, radius: float) -> bool:
    """Whether an object lies in a dish."""
    offset = world.position(index) - world.position(dish)
    return bool(np.linalg.norm(offset[:2]) < radius and 0 < offset[2] < 0.06)


class Stack(Task):
    """Put the named cube on another cube."""

    name = "stack"
    keeps_shape = ("target", "reference")  # a tower needs its cubes
    phrasings = (
        "stack the {target} on the {reference}",
        "put the {target} on top of the {reference}",
        "place the {target} on the {reference}",
        "build a tower with the {target} on the {reference}",
        "set the {target} on the {reference}",
        "pile the {target} on the {reference}",
    )
    held_out_phrasings = (
        "could you stack the {target} onto the {reference}",
        "the {target} goes on top of the {reference}",
        "please put the {target} onto the {reference}",
    )

    def scene(self, rng: np.random.Generator) -> Scene:
        """Two cubes and one object more."""
        objects = things(rng, ["cube", "cube", str(rng.choice(GRASPABLE))], [MIN_GAP] * 3)
        return Scene(objects, 0, 1, str(rng.choice(self.phrasings)))

    def conditions(self, world: World) -> dict[str, bool]:
        """The target lies flat on the reference, which stands on the table, and the hand is clear."""
        above, below = (world.scene.objects[i] for i in (world.scene.target, world.scene.reference))
        offset = world.position(world.scene.target) - world.position(world.scene.reference)
        height = above.rest_height + below.rest_height
        return {
            "stacked": bool(np.linalg.norm(offset[:2]) < 0.025 and abs(offset[2] - height) < 0.008),
            "hand_clear": hand_clear(world),
        }

    def expert(self, world: World) -> np.ndarray:
        """Above, down and close, up, over the other cube and open, up."""
        below = world.position(world.scene.reference)
        above, under = (world.scene.objects[i] for i in (world.scene.target, world.scene.reference))
        drop = below[2] + CUBE_HALF * (above.size + under.size) + 0.003
        return plan(*carry(world, world.scene.target, below[:2], drop))


class Touch(Task):
    """Touch the named object from above, and leave it where it is."""

    name = "touch"
    grasps = False
    waypoints = 2
    phrasings = (
        "touch the {target}",
        "tap the {target}",
        "go to the {target}",
        "reach for the {target}",
        "move the hand to the {target}",
        "please touch the {target}",
    )
    held_out_phrasings = (
        "could you touch the {target}",
        "put your hand on the {target}",
        "approach the {target}",
    )

    def scene(self, rng: np.random.Generator) -> Scene:
        """Four graspable objects."""
        shapes = [str(s) for s in rng.choice(GRASPABLE, size=4)]
        objects = things(rng, shapes, [MIN_GAP] * 4)
        return Scene(objects, int(rng.integers(4)), None, str(rng.choice(self.phrasings)))

    def conditions(self, world: World) -> dict[str, bool]:
        """The hand is at the target, presses on it, and has not moved it by 2 cm."""
        target = world.scene.target
        offset = world.robot.tool_pose()[0] - world.position(target)
        moved = np.linalg.norm(world.position(target) - world.start_positions[target])
        return {
            "touching": bool(world.contact_force(world.bodies[target]) > 0),
            "above": bool(np.linalg.norm(offset[:2]) < 0.03 and offset[2] > 0),
            "left_in_place": bool(moved < 0.02),
        }

    def expert(self, world: World) -> np.ndarray:
        """Above with the hand closed, and down until the fingers press on it."""
        x, y, z = world.position(world.scene.target)
        yaw = world.grasp_yaw(world.scene.target)
        return plan(waypoint(x, y, 0.14, yaw, CLOSED), waypoint(x, y, 2 * z - 0.004, yaw, CLOSED))
