"""How good demonstrations are: figures of one episode, and of a data set.

Each function takes arrays, so that it works on any recording. What the figures mean depends on the task: compare an
episode with others of the same task.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 20  # of each dimension of the action
LIMIT = 0.999  # share of the largest action from which it counts as that
SAMPLES = 32  # points along a path, when two are compared
SAME = 0.001  # metres; paths that are nowhere farther apart are the same
OUTLIER = 3.5  # modified z-score


def path_length(position: np.ndarray) -> float:
    """How far the tool went, metres.

    Args:
        position: (T, 3) metres.
    """
    return float(np.linalg.norm(np.diff(position.astype(np.float64), axis=0), axis=1).sum())


def path_ratio(position: np.ndarray, stops: Sequence[int] = ()) -> float | None:
    """Path length over that of straight lines: 1 is straight; None where start and end are the same.

    Args:
        position: (T, 3) metres.
        stops: rows that the straight lines go through as well, such as those where the gripper closes.
    """
    straight = path_length(position[[0, *stops, -1]])
    return path_length(position) / straight if straight > 1e-3 else None


def log_dimensionless_jerk(position: np.ndarray, period: float) -> float | None:
    """How smooth a movement is: -ln(D^3 / v^2 * integral of |jerk|^2), the higher the smoother.

    D is the duration and v the largest speed, so that neither the size of a movement nor its duration counts, only its
    shape. The movement of least jerk between two points at rest has -ln(204.8) = -5.32; stops, corrections and a
    shaking hand lower the figure. (Hogan and Sternad 2009, "Sensitivity of smoothness measures to movement
    duration, amplitude, and arrests"; Balasubramanian et al. 2012, "A robust and sensitive metric for quantifying
    movement smoothness", for the logarithm.)

    Args:
        position: (T, 3) metres, at equal times.
        period: seconds between two of them.

    Returns:
        None where nothing moves, or for fewer than 4 positions.
    """
    position = position.astype(np.float64)
    if len(position) < 4 or path_length(position) < 1e-3:
        return None
    duration = period * (len(position) - 1)
    jerk = np.diff(position, 3, axis=0) / period**3
    fastest = np.linalg.norm(np.diff(position, axis=0), axis=1).max() / period
    integral = duration * (jerk**2).sum(axis=1).mean()
    return float(-np.log(max(duration**3 / fastest**2 * integral, 1e-12)))


@dataclass(frozen=True)
class Coverage:
    """Which actions a data set shows, by dimension of the action.

    Attributes:
        visited: (D,) share of the bins between the smallest and the largest action that some row falls into.
        saturated: (D,) share of the rows at the smallest or the largest action.
    """

    visited: np.ndarray
    saturated: np.ndarray


def action_coverage(actions: np.ndarray, low: np.ndarray, high: np.ndarray, bins: int = BINS) -> Coverage:
    """How much of the space of actions is demonstrated.

    Args:
        actions: (N, D).
        low, high: (D,) the limits of the action.
        bins: of each dimension.
    """
    share = (actions - low) / (high - low)
    which = np.clip((share * bins).astype(int), 0, bins - 1)
    visited = np.array([len(np.unique(column)) for column in which.T]) / bins
    return Coverage(visited, (np.abs(2 * share - 1) >= LIMIT).mean(axis=0))


def task_balance(tasks: Sequence[str]) -> dict[str, float]:
    """Episodes of each task over the mean of all tasks: 1 everywhere is balanced."""
    counts = Counter(tasks)
    return {task: n * len(counts) / len(tasks) for task, n in sorted(counts.items())}


def find_duplicates(instructions: Sequence[str], trajectories: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    """Episodes that say and do the same as an earlier one: pairs (later, earlier) of their places in the lists.

    Two do the same when their tools went the same way to within a millimetre, whatever time they took for it, and
    their grippers opened and closed as often.

    Args:
        instructions: of each episode.
        trajectories: (T, 7) of each: x, y, z in metres, three angles, and the gripper, above 0 open.
    """
    alike: dict[tuple[str, int], list[int]] = defaultdict(list)
    for i, (sentence, trajectory) in enumerate(zip(instructions, trajectories, strict=True)):
        alike[sentence, int(np.diff(trajectory[:, 6] > 0).sum())].append(i)
    paths = np.array([_along(trajectory[:, :3]) for trajectory in trajectories])
    pairs = []
    for same in alike.values():
        for n, i in enumerate(same):
            near = np.linalg.norm(paths[same[:n]] - paths[i], axis=-1).max(axis=-1, initial=0.0) < SAME
            pairs += [(i, same[int(np.argmax(near))])] if near.any() else []
    return sorted(pairs)


def _along(position: np.ndarray) -> np.ndarray:
    """(SAMPLES, 3) points at equal distances along a path."""
    position = position.astype(np.float64)
    way = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(position, axis=0), axis=1)))
    return np.stack([np.interp(np.linspace(0, way[-1], SAMPLES), way, column) for column in position.T], axis=1)


def in_picture(pixel: np.ndarray) -> np.ndarray:
    """Whether points fall inside the picture: (T,) bool.

    Args:
        pixel: (T, 2) u and v, each 0 to 1 across the picture.
    """
    return ((pixel >= 0) & (pixel <= 1)).all(axis=-1)


def visible_share(segmentation: np.ndarray, body: int) -> np.ndarray:
    """Pixels of a body, relative to the picture that shows it best: (T,) 0 to 1; all 0 where none shows it.

    What hides it, such as the arm, leaves it fewer pixels.

    Args:
        segmentation: (T, H, W) body ids.
        body: its id.
    """
    pixels = (segmentation == body).sum(axis=(1, 2))
    return pixels / max(1, pixels.max())


def outliers(values: Sequence[float]) -> np.ndarray:
    """How far each value is from the median, in units of spread: (N,), above 3.5 or below -3.5 for an outlier.

    The modified z-score 0.6745 (x - median) / MAD of Iglewicz and Hoaglin 1993; 0 where at least half of the values
    are equal. Unlike the standard deviation, MAD is not itself moved by the outliers.
    """
    values = np.asarray(values, np.float64)
    away = values - np.median(values)
    spread = np.median(np.abs(away))
    return 0.6745 * away / spread if spread > 0 else np.zeros_like(away)
