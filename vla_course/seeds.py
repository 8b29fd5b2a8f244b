"""Which scenes are for training, which for testing: no scene can be both.

One course seed names a whole experiment. Scene seeds are plain arithmetic on it, so that two lists of scenes are
disjoint by construction and not by luck.
"""

from vla_course.errors import CourseError

_BLOCK = 1_000_000


def scene_seed(seed: int, index: int, test: bool = False) -> int:
    """The seed of one scene, for `env.reset(seed=...)`.

    Args:
        seed: the experiment.
        index: which scene, from 0.
        test: a scene for evaluation, never used in training.

    Raises:
        CourseError: `seed` or `index` is out of range.
    """
    if seed < 0 or not 0 <= index < _BLOCK:
        raise CourseError(f"seed {seed}, scene {index}: seeds are 0 or more, scenes 0 to {_BLOCK - 1}")
    return (2 * seed + test) * _BLOCK + index
