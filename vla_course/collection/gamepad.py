"""A gamepad, through SDL's controller interface: a button has the same name on every pad it knows.

    left stick     away from you and toward you, left and right      A       open or close the gripper
    right stick    up and down, turn left and right                  Start   end the episode and keep it
    cross          lean away and toward you, left and right          Back    throw it away, same scene again
                                                                     X       quit

Needs the package pygame-ce. Sticks at rest stop the world; held, they move the robot ten times a second.
"""

import os
from dataclasses import dataclass

import numpy as np

from vla_course.collection.devices import DIRECTIONS, Command, Rate
from vla_course.errors import CourseError

FULL = 32767  # what SDL reports for a stick pushed to its end


@dataclass(frozen=True)
class GamepadMap:
    """What each part of the pad does, by pygame's names: "leftx" is CONTROLLER_AXIS_LEFTX, "a" is CONTROLLER_BUTTON_A.

    Attributes:
        sticks: axis to the direction of its positive end (right, or downward), a key of `DIRECTIONS`.
        held: button to the direction that it moves in while it is held.
        gripper, finish, discard, quit: buttons.
        dead_zone: what counts as a stick at rest, of its range.
        size: of a stick pushed to its end: 0.4 is 0.2 m/s.
    """

    sticks: tuple[tuple[str, str], ...] = (
        ("leftx", "right"), ("lefty", "toward"), ("rightx", "turn right"), ("righty", "down"),
    )  # fmt: skip
    held: tuple[tuple[str, str], ...] = (
        ("dpad_up", "lean away"), ("dpad_down", "lean toward"),
        ("dpad_left", "lean left"), ("dpad_right", "lean right"),
    )  # fmt: skip
    gripper: str = "a"
    finish: str = "start"
    discard: str = "back"
    quit: str = "x"
    dead_zone: float = 0.15
    size: float = 0.4


class Gamepad:
    """Sticks and buttons of the first pad to commands.

    Args:
        mapping: what each part of the pad does.

    Raises:
        CourseError: pygame-ce is missing, no pad is connected, or `mapping` has a wrong name.
    """

    name = "gamepad"
    keys = "sticks move and turn, cross leans, A gripper, Start keep, Back discard, X quit"

    def __init__(self, mapping: GamepadMap | None = None):
        # Without a window of its own, a program gets no input unless SDL is told otherwise.
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
        os.environ.setdefault("SDL_JOYSTICK_ALLOW_BACKGROUND_EVENTS", "1")
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        try:
            import pygame
            from pygame._sdl2 import controller
        except ImportError:
            raise CourseError(
                'a gamepad needs pygame-ce, which is not installed; run "pip install pygame-ce"'
            ) from None
        self._pygame, self._map = pygame, mapping or GamepadMap()
        pygame.display.init()
        controller.init()
        pads = [i for i in range(controller.get_count()) if controller.is_controller(i)]
        if not pads:
            raise CourseError("no gamepad is connected, or SDL does not know it; connect one, or use --device keyboard")
        self._pad = controller.Controller(pads[0])
        self._sticks = [(self._code("axis", name), DIRECTIONS[way]) for name, way in self._map.sticks]
        self._held = [(self._code("button", name), DIRECTIONS[way]) for name, way in self._map.held]
        self._gripper_button = self._code("button", self._map.gripper)
        self._events = {self._code("button", getattr(self._map, e)): e for e in ("finish", "discard", "quit")}
        self._rate = Rate()
        self.reset()

    def reset(self) -> None:
        """The gripper is open; buttons pressed before are forgotten."""
        self._gripper = 1.0
        self._pygame.event.get()

    def read(self) -> Command | None:
        """What sticks and buttons say now; waits until the next control period.

        Raises:
            CourseError: the pad was taken away.
        """
        self._rate.wait()
        pressed = [
            event.button for event in self._pygame.event.get() if event.type == self._pygame.CONTROLLERBUTTONDOWN
        ]
        if not self._pad.attached():
            raise CourseError("the gamepad was disconnected; what was recorded so far is kept")
        for button in pressed:
            if button in self._events:
                return Command(event=self._events[button])
        toggles = pressed.count(self._gripper_button) % 2 == 1
        if toggles:
            self._gripper = -self._gripper
        action = np.zeros(7, dtype=np.float32)
        for code, (axis, sign) in self._sticks:
            action[axis] += sign * self._push(self._pad.get_axis(code) / FULL)
        for code, (axis, sign) in self._held:
            action[axis] += sign * self._pad.get_button(code)
        action *= self._map.size
        if not (action.any() or toggles):
            return None
        action[6] = self._gripper
        return Command(action)

    def _push(self, value: float) -> float:
        """How far a stick is pushed, counted from the edge of the dead zone, so that it begins at 0."""
        beyond = max(0.0, abs(value) - self._map.dead_zone) / (1 - self._map.dead_zone)
        return float(np.sign(value)) * min(1.0, beyond)

    def _code(self, kind: str, name: str) -> int:
        code = getattr(self._pygame, f"CONTROLLER_{kind.upper()}_{name.upper()}", None)
        if code is None:
            raise CourseError(f"the pad has no {kind} {name!r}; names are such as leftx, a, start, dpad_up")
        return code
