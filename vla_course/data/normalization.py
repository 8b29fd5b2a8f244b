"""From the units of the world to numbers around zero, in which a network learns best, and back.

A normalizer is two rows of numbers, one for each column of the data:

    normalized = (x - offset) / scale          x = normalized * scale + offset

Three kinds are in use. "mean_std" gives each column mean 0 and standard deviation 1. "min_max" maps its range to
[-1, 1]: one wrong recording with a far too large value squeezes all others into a corner. "quantiles" maps the range
from the 1st to the 99th percentile to [-1, 1] (OpenVLA, Kim et al. 2024, arXiv:2406.09246, section 3.2), and a wrong
recording hardly moves that.

With "quantiles", two values in a hundred lie beyond -1 and 1. They are not clipped: a clipped action would teach less
than was demonstrated, and could not be computed back. Where a range is needed, as for action tokens, the tokenizer
clips.
"""

from typing import Literal, get_args

import numpy as np

from vla_course.errors import CourseError, one_of

Normalization = Literal["mean_std", "min_max", "quantiles"]

BOUNDS = {"min_max": ("min", "max"), "quantiles": ("q01", "q99")}  # of the range that is mapped to [-1, 1]
LEAST = 1e-3  # a column of less standard deviation, or half range, hardly varies


def normalizer(statistics: dict, kind: Normalization) -> tuple[np.ndarray, np.ndarray]:
    """What to subtract from each column, and what to divide by then.

    A column that hardly varies keeps its scale: divided by nearly zero, noise would become signal.

    Args:
        statistics: of one feature, such as `metadata["statistics"]["action"]`; see `vla_course.data.store.statistics`.
        kind: "mean_std", "min_max" or "quantiles".

    Returns:
        offset (D,) and scale (D,), float32, in the units of the feature.

    Raises:
        CourseError: an unknown kind, or statistics that lack what it needs.
    """
    one_of("normalization", kind, get_args(Normalization))
    needed = BOUNDS.get(kind, ("mean", "std"))
    if missing := [name for name in needed if name not in statistics]:
        raise CourseError(
            f"the statistics lack {', '.join(missing)}, which normalization {kind!r} needs; take those of the data "
            "set's metadata.json, or another normalization"
        )
    first, second = (np.array(statistics[name], dtype=np.float32) for name in needed)
    offset, scale = (first, second) if kind == "mean_std" else ((first + second) / 2, (second - first) / 2)
    return offset, np.where(scale > LEAST, scale, np.float32(1))
