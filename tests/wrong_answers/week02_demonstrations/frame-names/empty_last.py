# says: an episode without frames has a number, too
import numpy as np


def frame_names(lengths):
    """Names of all frames of a data set, in the order of time."""
    wide = max(4, len(str(np.flatnonzero(lengths).max())))
    digits = max(4, len(str(max(lengths) - 1)))
    return [f"episode_{e:0{wide}d}/frame_{i:0{digits}d}.jpg" for e, n in enumerate(lengths) for i in range(n)]
