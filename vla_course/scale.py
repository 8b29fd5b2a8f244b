"""How much work to do: one setting, `VLA_COURSE_SCALE`, for machines from a CI runner to a workstation."""

import os
from dataclasses import dataclass

from vla_course.errors import one_of


@dataclass(frozen=True)
class Scale:
    """Sizes of the work.

    Attributes:
        demonstrations: episodes to collect.
        epochs: passes over them in training.
        trials: scenes in an evaluation.
    """

    demonstrations: int
    epochs: int
    trials: int


SCALES = {
    "ci": Scale(demonstrations=150, epochs=8, trials=10),
    "student": Scale(demonstrations=2400, epochs=16, trials=200),
    "full": Scale(demonstrations=6000, epochs=24, trials=500),
}


def current_scale() -> Scale:
    """The scale that `VLA_COURSE_SCALE` names; "student" where it is not set.

    Raises:
        CourseError: it names no scale.
    """
    name = os.environ.get("VLA_COURSE_SCALE", "student")
    one_of("VLA_COURSE_SCALE", name, SCALES)
    return SCALES[name]
