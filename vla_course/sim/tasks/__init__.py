"""The tasks, by name."""

from vla_course.errors import one_of
from vla_course.sim.tasks.base import WAYPOINTS, Task
from vla_course.sim.tasks.grasping import LIFT_HEIGHT, PickUp, Place, Stack, Touch
from vla_course.sim.tasks.pushing import DIRECTIONS, Push, PushTo
from vla_course.sim.tasks.sorting import Sort
from vla_course.sim.tasks.using import Drawer, PressButton, PutInDrawer, TakeFromDrawer

__all__ = ["LIFT_HEIGHT", "LONG", "TASKS", "WAYPOINTS", "Task", "get_task"]

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        PickUp(),
        Place("place", "bowl", "in"),
        Place("place_plate", "plate", "on"),
        *(Push(side) for side in DIRECTIONS),
        PushTo(),
        Stack(),
        Touch(),
        PressButton(),
        Drawer("open"),
        Drawer("close"),
        PutInDrawer(),
        TakeFromDrawer(),
        Sort(),
    )
}
LONG = ("put_in_drawer", "take_from_drawer", "sort")  # of several parts


def get_task(name: str) -> Task:
    """The task called `name`.

    Raises:
        CourseError: there is none.
    """
    one_of("task", name, TASKS)
    return TASKS[name]
